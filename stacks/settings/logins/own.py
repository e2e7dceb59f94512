"""Logins that the hub itself answers for."""

from typing import ClassVar, Literal

from stacks.settings.logins.base import LoginSettings


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
    modules: ClassVar[tuple[str, ...]] = (
        "account_notes.py",
        "native_pages.py",
        "revocation.py",
    )
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
