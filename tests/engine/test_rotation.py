"""Secrets in the real engine: keys of stored logins are rotated, and the newest is never taken away; one that leaked is
replaced."""

import re
from collections.abc import Callable

import pytest

from stacks.secrets import KEY_DIGITS
from tests.engine.project import Project
from tests.tools import ROOT

pytestmark = pytest.mark.engine


def test_newest_key_cannot_be_dropped(project: Callable[..., Project]) -> None:
    stack = project("keys")
    stack.environment["PYTHONPATH"] = str(ROOT)
    stack.configure(keys="first")
    stack.up()
    first = stack.outputs()["keys"]
    stack.configure(keys="spring")
    assert "secrets-crypt-key-first" in stack.pulumi("preview", fails=True), "in whose place another one came"
    stack.configure(keys="spring,first")
    stack.up()
    assert stack.outputs()["keys"].split(";")[1] == first
    spring = stack.outputs()["keys"].split(";")[0]
    stack.configure(keys="first")
    assert "secrets-crypt-key-spring" in stack.pulumi("preview", fails=True), "the newest was dropped"
    stack.configure(keys="spring")
    assert stack.plan()["secrets-crypt-key-first"] == "delete"
    stack.up()
    assert stack.outputs()["keys"] == spring


def test_secret_that_leaked_is_replaced_alone_and_protected_again(project: Callable[..., Project]) -> None:
    """By the commands of docs/hub.md."""
    stack = project("keys")
    stack.environment["PYTHONPATH"] = str(ROOT)
    stack.configure(keys="first")
    stack.up()
    before = stack.outputs()
    (urn,) = re.findall(r"urn:.*::secrets-cookie-secret$", stack.pulumi("stack", "--show-urns"), re.MULTILINE)
    replace = ("up", "--yes", "--skip-preview", "--replace", urn)
    assert "protect" in stack.pulumi(*replace, fails=True)
    assert stack.outputs() == before
    stack.pulumi("state", "unprotect", "--yes", urn)
    stack.pulumi(*replace)
    after = stack.outputs()
    assert {name for name in before if after[name] != before[name]} == {"cookie"}
    assert len(after["cookie"]) == KEY_DIGITS
    assert stack.resource("secrets-cookie-secret")["protect"]
