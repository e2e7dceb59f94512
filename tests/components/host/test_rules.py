"""Roles that are refused, each with its message."""

import pytest

from components.host.render import MAX_BYTES, render
from components.host.role import (
    Absent,
    Block,
    Directory,
    Fact,
    File,
    Item,
    KernelModule,
    Line,
    Package,
    Role,
    Script,
    Service,
    Sysctl,
)

REJECTED: list[tuple[tuple[Item, ...], str]] = [
    ((File("etc/x", "x"),), "'etc/x' is no absolute path"),
    ((Directory("/srv/"),), "'/srv/' is no absolute path without a final slash"),
    ((File("/etc/../x", "x"),), "'/etc/../x' is no absolute path"),
    ((File("/etc/x", "x", mode="644"),), "/etc/x: mode '644' is not four octal digits such as 0644"),
    ((File("/etc/x"),), "/etc/x needs either a content or the name of a secret"),
    ((File("/etc/x", "x", secret="key", mode="0600"),), "/etc/x needs either a content or the name of a secret"),
    ((File("/etc/x", secret="kay", mode="0600"),), "/etc/x: the role is given no secret 'kay'; it has key"),
    ((File("/etc/x", secret="key"),), "/etc/x is a secret, and mode 0644 lets everybody read it"),
    ((File("/etc/x", "a\0b"),), "/etc/x: a content with NUL bytes"),
    ((File("/etc/x", "a"), Absent("/etc/x")), "/etc/x is in more than one item"),
    ((File("/etc/x", "a"), Line("/etc/x", "a", line="a")), "/etc/x is in more than one item"),
    ((Line("/etc/x", "a"),), "line of /etc/x needs either a line or comment_out"),
    ((Line("/etc/x", "a", line="a", comment_out=True),), "line of /etc/x needs either a line or comment_out"),
    ((Line("/etc/x", "a", line="a\nb"),), "line of /etc/x is more than one line"),
    ((Line("/etc/x", "", line="a"),), "line of /etc/x matches every line"),
    ((Block("/etc/x", "a"),), "block of /etc/x is not made of whole lines"),
    ((Package("Bad Name"),), "'Bad Name' is no name of a Debian package"),
    ((Package("a1", "1.*.2"),), "package a1: '1.*.2' is no version"),
    ((Package("a1", held=True),), "package a1 is held, so it needs a version"),
    ((Service("chrony"),), "'chrony' is no full name of a unit such as chrony.service"),
    (
        (Service("a.service", restart_on=("/etc/x",)),),
        "service a.service restarts on /etc/x, which is no file of this role",
    ),
    ((Sysctl("ip_forward", "1"),), "'ip_forward' = '1' is no kernel parameter"),
    ((KernelModule("a b"),), "'a b' is no name of a kernel module"),
    ((Script("", "true", "true"),), "script '' needs a name, a check and an apply"),
    ((Script("x", " ", "true"),), "script 'x' needs a name, a check and an apply"),
]


@pytest.mark.parametrize(("items", "message"), REJECTED, ids=[message for _, message in REJECTED])
def test_mistake_is_refused(items: tuple[Item, ...], message: str) -> None:
    with pytest.raises(ValueError, match=r"^chick0: demo: ") as error:
        render(Role("demo", items), "chick0", ["key"])
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_all_mistakes_are_told_at_once() -> None:
    items = (File("x", "x"), Package("Bad"), Service("chrony"))
    with pytest.raises(ValueError, match="chick0") as error:
        render(Role("demo", items), "chick0")
    assert len(str(error.value).splitlines()) == 3


@pytest.mark.parametrize("name", ["Demo", "de mo", "$(reboot)", ""])
def test_name_of_a_role_is_a_word(name: str) -> None:
    with pytest.raises(ValueError, match="is no name of a role"):
        render(Role(name, ()), "chick0")


def test_name_of_a_secret_is_a_word() -> None:
    with pytest.raises(ValueError, match="'a b' is no name of a secret"):
        render(Role("demo", ()), "chick0", ["a b"])


def test_facts_have_different_names() -> None:
    with pytest.raises(ValueError, match="fact a is there 2 times"):
        render(Role("demo", (), (Fact("a", "true"), Fact("a", "true"))), "chick0")


def test_script_that_the_kernel_would_refuse_is_refused_here() -> None:
    with pytest.raises(ValueError, match=f"chick0: demo: the script has .* a command may have {MAX_BYTES}"):
        render(Role("demo", (File("/etc/x", "x" * MAX_BYTES),)), "chick0")
