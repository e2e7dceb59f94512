"""Where control groups are found, for the layouts that Debian and its containers come with."""

from pathlib import Path

import pytest

from lab.cgroups import joining, parse_hierarchies

HYBRID = (
    "9:name=systemd:/\n4:memory:/outer/limited\n2:cpu,cpuacct:/\n0::/\n",
    """\
31 24 0:27 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
33 31 0:29 / /sys/fs/cgroup/memory rw,relatime shared:4 - cgroup cgroup rw,memory
34 31 0:30 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
35 31 0:31 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
""",
)
UNIFIED = (
    "0::/user.slice/user-0.slice/session-1.scope\n",
    "35 24 0:31 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            HYBRID,
            [
                (set(), "/sys/fs/cgroup/systemd", "/", False),
                ({"memory"}, "/sys/fs/cgroup/memory", "/outer/limited", False),
                ({"cpu", "cpuacct"}, "/sys/fs/cgroup/cpu,cpuacct", "/", False),
                (set(), "/sys/fs/cgroup/unified", "/", True),
            ],
        ),
        (UNIFIED, [(set(), "/sys/fs/cgroup", "/user.slice/user-0.slice/session-1.scope", True)]),
    ],
)
def test_hierarchies(texts: tuple[str, str], expected: list[tuple[set[str], str, str, bool]]) -> None:
    found = [(set(each.controllers), str(each.mount), each.own, each.unified) for each in parse_hierarchies(*texts)]
    assert found == expected


def test_hierarchy_that_is_not_mounted_is_skipped() -> None:
    assert parse_hierarchies("5:devices:/\n", HYBRID[1]) == ()


def test_joining_keeps_the_command_as_it_is() -> None:
    command = joining([Path("/a"), Path("/b")], ["printf", "%s", "two words", "--"])
    assert command[:2] == ["sh", "-c"]
    assert command[3:] == ["sh", "/a", "/b", "--", "printf", "%s", "two words", "--"]
