"""Roles that are refused, each with its message."""

import pytest

from converge.items import (
    Absent,
    Block,
    Directory,
    File,
    Item,
    KernelModule,
    Line,
    Package,
    PackageLists,
    Script,
    Sysctl,
    Unit,
)
from converge.render import MAX_BYTES, render
from converge.role import Fact, Role

REJECTED: list[tuple[tuple[Item, ...], str]] = [
    ((File("etc/x", "x"),), "'etc/x' must be an absolute path"),
    ((Directory("/srv/"),), "'/srv/' must be an absolute path without a trailing slash"),
    ((File("/etc/../x", "x"),), "'/etc/../x' must be an absolute path"),
    ((File("/etc/x", "x", mode="644"),), "/etc/x: mode '644' must be four octal digits such as 0644"),
    ((File("/etc/x"),), "/etc/x needs either a content or the name of a secret"),
    ((File("/etc/x", "x", secret="key", mode="0600"),), "/etc/x needs either a content or the name of a secret"),
    ((File("/etc/x", secret="kay", mode="0600"),), "/etc/x: the role has no secret 'kay'; it has key"),
    ((File("/etc/x", secret="key"),), "/etc/x is a secret, and mode 0644 lets everyone read it"),
    ((File("/etc/x", "a\0b"),), "/etc/x: the content has NUL bytes"),
    ((File("/etc/x", "a"), Absent("/etc/x")), "/etc/x is managed by several items"),
    ((File("/etc/x", "a"), Line("/etc/x", "a", line="a")), "/etc/x is managed by several items"),
    ((Line("/etc/x", "a"),), "line of /etc/x needs either a line or comment_out"),
    ((Line("/etc/x", "a", line="a", comment_out=True),), "line of /etc/x needs either a line or comment_out"),
    ((Line("/etc/x", "a", line="a\nb"),), "line of /etc/x is more than one line"),
    ((Line("/etc/x", "", line="a"),), "line of /etc/x has an empty pattern"),
    ((Block("/etc/x", "a"),), "block of /etc/x must consist of whole lines"),
    ((Package("Bad Name"),), "'Bad Name' is not a valid Debian package name"),
    ((Package("a1", "1.*.2"),), "package a1: '1.*.2' is not a version"),
    ((Package("a1", held=True),), "package a1 is held, so it needs a version"),
    ((PackageLists(()),), "package lists need the files that say where they come from"),
    ((Unit("chrony"),), "'chrony' is not a full unit name such as chrony.service"),
    (
        (Unit("a.service", restart_on=("/etc/x",)),),
        "unit a.service restarts on /etc/x, which this role does not manage",
    ),
    ((Sysctl("ip_forward", "1"),), "'ip_forward' = '1' is not a kernel parameter"),
    ((KernelModule("a b"),), "'a b' is not a valid kernel module name"),
    (
        (Sysctl("vm.swappiness", "1"), Package("a1"), Sysctl("vm.overcommit_memory", "1")),
        "items of kind Sysctl stand in 2 places",
    ),
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
    items = (File("x", "x"), Package("Bad"), Unit("chrony"))
    with pytest.raises(ValueError, match="chick0") as error:
        render(Role("demo", items), "chick0")
    assert len(str(error.value).splitlines()) == 3


@pytest.mark.parametrize("name", ["Demo", "de mo", "$(reboot)", ""])
def test_name_of_a_role_is_a_word(name: str) -> None:
    with pytest.raises(ValueError, match="is not a valid role name"):
        render(Role(name, ()), "chick0")


def test_name_of_a_secret_is_a_word() -> None:
    with pytest.raises(ValueError, match="'a b' is not a valid secret name"):
        render(Role("demo", ()), "chick0", ["a b"])


def test_facts_have_different_names() -> None:
    with pytest.raises(ValueError, match="fact a is defined 2 times"):
        render(Role("demo", (), (Fact("a", "true"), Fact("a", "true"))), "chick0")


def test_script_that_the_kernel_would_refuse_is_refused_here() -> None:
    with pytest.raises(ValueError, match=f"chick0: demo: the script is .* the limit is {MAX_BYTES}"):
        render(Role("demo", (File("/etc/x", "x" * MAX_BYTES),)), "chick0")
