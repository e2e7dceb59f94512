"""How people log in. Each way is a type, which answers for itself what others would have to compare words for."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from stacks.settings.types import Model


class LoginSettings(Model):
    """What every way to log in answers."""

    fragment: ClassVar[str]
    """The file in `programs/hub/logins` that configures it."""
    secrets: ClassVar[tuple[str, ...]] = ()
    """What the fragment reads by `secret(name)`: names in `stacks.secrets.SiteSecrets.login`."""
    only_in_a_lab: ClassVar[str] = ""
    """Why a site with people must not use it; empty if it may."""
    first: ClassVar[str]
    """What the administrator is told: {url}, {administrator} and the names of secrets stand for their values."""


class NativeLoginSettings(LoginSettings):
    """Accounts with passwords that the hub keeps.

    Those of `administrators` exist from the first start on, with the passwords in the stack's output `administrators`.
    """

    type: Literal["native"] = "native"
    """Selects this way to log in."""
    enable_signup: bool = False
    """Whether people may ask for an account at /hub/signup; an administrator has to authorize each. If false,
    administrators add people at /hub/admin and set their passwords at /hub/change-password/<name>."""

    fragment: ClassVar[str] = "native.py"
    secrets: ClassVar[tuple[str, ...]] = ("administrators",)
    first: ClassVar[str] = "log in at {url} as {administrator}, with the password in the output administrators"


class DummyLoginSettings(LoginSettings):
    """Any name with one shared password. Only a lab may use it."""

    type: Literal["dummy"] = "dummy"
    """Selects this way to log in."""

    fragment: ClassVar[str] = "dummy.py"
    secrets: ClassVar[tuple[str, ...]] = ("shared-password",)
    only_in_a_lab: ClassVar[str] = "lets anyone in with one password"
    first: ClassVar[str] = "any name, password {shared-password}"


def _named(value: Any) -> Any:
    """Take the name of a way to log in for all its defaults."""
    return {"type": value} if isinstance(value, str) else value


AnyLogin = Annotated[
    NativeLoginSettings | DummyLoginSettings,
    Field(discriminator="type"),
    BeforeValidator(
        _named, json_schema_input_type=Literal["native", "dummy"] | NativeLoginSettings | DummyLoginSettings
    ),
]
"""One of the ways to log in: `login: native` is short for `login: {type: native}`."""
