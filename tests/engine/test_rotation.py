"""Keys of stored logins in the real engine: a rotation adds one in front, and the newest is never taken away."""

from collections.abc import Callable

import pytest

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
