"""How people log in. Each way is a type, which answers for itself what others would have to compare words for."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from stacks.settings.logins.cilogon import CILogonLoginSettings
from stacks.settings.logins.github import GitHubLoginSettings
from stacks.settings.logins.google import GoogleLoginSettings
from stacks.settings.logins.openid import OpenIDConnectLoginSettings
from stacks.settings.logins.own import DummyLoginSettings, NativeLoginSettings

__all__ = ["AnyLogin", "NativeLoginSettings"]


def _named(value: Any) -> Any:
    """Take the name of a way to log in for all its defaults."""
    return {"type": value} if isinstance(value, str) else value


AnyLogin = Annotated[
    NativeLoginSettings
    | DummyLoginSettings
    | GitHubLoginSettings
    | OpenIDConnectLoginSettings
    | GoogleLoginSettings
    | CILogonLoginSettings,
    Field(discriminator="type"),
    BeforeValidator(
        _named,
        json_schema_input_type=Literal["native", "dummy"]
        | NativeLoginSettings
        | DummyLoginSettings
        | GitHubLoginSettings
        | OpenIDConnectLoginSettings
        | GoogleLoginSettings
        | CILogonLoginSettings,
    ),
]
"""One of the ways to log in: `login: native` is short for `login: {type: native}`."""
