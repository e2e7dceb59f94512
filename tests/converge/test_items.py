"""Every kind of item that needs no service manager, on a real shell: found missing, made, left alone, broken, named,
repaired."""

import hashlib

import pytest

from converge.items import Absent, Block, Directory, File, Item, Line, Script
from converge.render import render
from converge.role import Fact, Role
from tests.converge.scripts import Shell

KEY = '-----BEGIN KEY-----\nit\'s a "secret" & more\\n\n-----END KEY-----\n'
SECRETS = {"key": KEY, "token": "no line end"}

CASES = [
    (
        "a file's content",
        File("/tmp/x/etc/it's.conf", "a = 'b' & \\n\n\n\täé\n"),
        "",
        'echo more >>"/tmp/x/etc/it\'s.conf"',
        {"file /tmp/x/etc/it's.conf": "line 4: more"},
    ),
    ("a file without a final line end", File("/tmp/x/f", "one\ntwo"), "", "echo >>/tmp/x/f", {"file /tmp/x/f": "8"}),
    ("an empty file", File("/tmp/x/f", ""), "", "echo x >/tmp/x/f", {"file /tmp/x/f": "line 1: x"}),
    ("a file cut short", File("/tmp/x/f", "one\ntwo\n"), "", "echo one >/tmp/x/f", {"file /tmp/x/f": "line 2:"}),
    (
        "a file with a NUL byte",
        File("/tmp/x/f", "one"),
        "",
        "printf 'one\\0two' >/tmp/x/f",
        {"file /tmp/x/f": "line 1: one(a NUL"},
    ),
    (
        "a file's mode",
        File("/tmp/x/f", "x\n", mode="0640"),
        "",
        "chmod 644 /tmp/x/f",
        {"file /tmp/x/f": "0644 root root"},
    ),
    (
        "a file's owner",
        File("/tmp/x/f", "x\n", owner="daemon", group="adm"),
        "",
        "chown root /tmp/x/f",
        {"file /tmp/x/f": "0644 root adm"},
    ),
    (
        "a link in the place of a file",
        File("/tmp/x/f", "x\n"),
        "echo x >/tmp/x/other && ln -s other /tmp/x/f",
        "mv /tmp/x/f /tmp/x/other && ln -s other /tmp/x/f",
        {"file /tmp/x/f": "something else (l"},
    ),
    (
        "a secret file",
        File("/tmp/x/k", secret="key", mode="0600"),
        "",
        "echo x >>/tmp/x/k",
        {"file /tmp/x/k": "something else"},
    ),
    (
        "a secret file's mode",
        File("/tmp/x/k", secret="token", mode="0400"),
        "",
        "chmod 444 /tmp/x/k",
        {"file /tmp/x/k": "0444 root root"},
    ),
    (
        "a directory",
        Directory("/tmp/x/a/b", mode="0750", group="adm"),
        "",
        "chmod 777 /tmp/x/a/b",
        {"directory /tmp/x/a/b": "0777 root adm"},
    ),
    ("an absent file", Absent("/tmp/x/f"), "echo >/tmp/x/f", "ln -s nowhere /tmp/x/f", {"file /tmp/x/f": "l"}),
    (
        "a line set in the place of another",
        Line("/tmp/x/f", r"^\s*#?UMASK\b", line="UMASK 027"),
        "printf 'a\\nUMASK 022\\nz' >/tmp/x/f",
        "sed -i s/027/077/ /tmp/x/f",
        {"line of /tmp/x/f": "UMASK 077"},
    ),
    (
        "a line appended",
        Line("/tmp/x/f", "^UMASK", line="UMASK 027"),
        "printf 'a' >/tmp/x/f",
        "sed -i /UMASK/d /tmp/x/f",
        {"line of /tmp/x/f": "no such line"},
    ),
    (
        "a line that is there twice",
        Line("/tmp/x/f", "^UMASK", line="UMASK 027"),
        "",
        "echo UMASK 022 >>/tmp/x/f",
        {"line of /tmp/x/f": "UMASK 022"},
    ),
    (
        "lines commented out",
        Line("/tmp/x/f", r"^[^#].*\sswap\s", comment_out=True),
        "printf '# fs\\n/dev/a none swap sw 0 0\\n/dev/b / ext4 rw 0 0\\n/dev/c\\tnone\\tswap\\tsw\\n' >/tmp/x/f",
        "echo '/dev/d none swap sw' >>/tmp/x/f",
        {"line of /tmp/x/f": "/dev/d none swap sw"},
    ),
    (
        "a block",
        Block("/tmp/x/f", "one\ntwo\n"),
        "printf 'local\\n' >/tmp/x/f",
        "sed -i /two/d /tmp/x/f",
        {"block of /tmp/x/f": "line 2:"},
    ),
    (
        "a block whose end is lost",
        Block("/tmp/x/f", "one\ntwo\n"),
        "printf 'local\\n' >/tmp/x/f",
        "sed -i '/^# end/d' /tmp/x/f",
        {"block of /tmp/x/f": "no such line"},
    ),
    (
        "a script",
        Script("the flag is up", check="echo 'it is down'; test -e /tmp/x/flag", apply="touch /tmp/x/flag"),
        "",
        "rm /tmp/x/flag",
        {"the flag is up": "it is down"},
    ),
    (
        "a script whose check fails before its end",
        Script("first and second", check="test -e /tmp/x/1\ntest -e /tmp/x/2", apply="touch /tmp/x/1 /tmp/x/2"),
        "touch /tmp/x/2",
        "rm /tmp/x/1",
        {"first and second": "it does not hold"},
    ),
]


@pytest.mark.parametrize(
    ("item", "before", "damage", "found"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_item(shell: Shell, item: Item, before: str, damage: str, found: dict[str, str]) -> None:
    role = Role("items", (item,))
    secrets = SECRETS if isinstance(item, File) and item.secret else {}
    shell.run(before or "true")

    if not isinstance(item, Absent) or before:
        assert len(shell.check(role, secrets).differences) == 1, "a check sees what is not there yet"
    assert shell.apply(role, secrets).facts == {}
    assert shell.check(role, secrets).differences == []

    stat = "find /tmp/x -printf '%p %i %T@ %C@\\n' | sort"
    untouched = shell.run(stat).stdout
    assert shell.apply(role, secrets).stderr == ""
    assert shell.run(stat).stdout == untouched, "a second apply writes nothing"

    assert shell.run(damage).status == 0
    seen = shell.check(role, secrets).found
    assert list(seen) == list(found)
    assert all(seen[each].startswith(words) for each, words in found.items()), seen
    damaged = shell.run(stat).stdout
    shell.check(role, secrets)
    assert shell.run(stat).stdout == damaged, "a check writes nothing"

    shell.apply(role, secrets)
    assert shell.check(role, secrets).differences == []
    assert shell.run("find /tmp/x -name '*henhouse-new*'").stdout == ""


@pytest.mark.parametrize(
    ("before", "item", "after"),
    [
        ("a\nUMASK 022\n#UMASK 1\nz\n", Line("/tmp/x/f", r"^#?UMASK\b", line="UMASK 027"), "a\nUMASK 027\nz\n"),
        (
            "127.0.0.1 localhost\n",
            Block("/tmp/x/f", "10.0.0.1 chick1\n"),
            "127.0.0.1 localhost\n# begin: henhouse, items\n10.0.0.1 chick1\n# end: henhouse, items\n",
        ),
        (
            "a\n# begin: henhouse, items\nold\nz\n",
            Block("/tmp/x/f", "new\n"),
            "a\n# begin: henhouse, items\nnew\n# end: henhouse, items\nold\nz\n",
        ),
        ("x swap y\n# x swap y\n", Line("/tmp/x/f", " swap ", comment_out=True), "# x swap y\n# x swap y\n"),
    ],
)
def test_what_is_around_lines_stays(shell: Shell, before: str, item: Item, after: str) -> None:
    shell.run("cat >/tmp/x/f; chmod 640 /tmp/x/f; chown daemon /tmp/x/f", before)
    shell.apply(Role("items", (item,)))
    assert shell.run("cat /tmp/x/f").stdout == after
    assert shell.run("stat -c '%a %U' /tmp/x/f").stdout == "640 daemon\n"


def test_line_behind_a_link_is_set_where_the_link_leads(shell: Shell) -> None:
    shell.run("echo a >/tmp/x/real; ln -s real /tmp/x/f")
    role = Role("items", (Line("/tmp/x/f", "^b", line="b"),))
    shell.apply(role)
    assert shell.run("readlink /tmp/x/f; cat /tmp/x/real").stdout == "real\na\nb\n"
    assert shell.check(role).differences == []


def test_secret_reaches_its_file_and_nothing_else(shell: Shell) -> None:
    role = Role(
        "items",
        (File("/tmp/x/k", secret="key", mode="0600"), Script("s", "test -s /tmp/x/n", "secret key | wc -c >/tmp/x/n")),
    )
    answer = shell.apply(role, SECRETS)
    assert shell.run("cat /tmp/x/k").stdout == KEY
    assert shell.run("cat /tmp/x/n").stdout.strip() == str(len(KEY))
    shell.run("echo other >/tmp/x/k")
    said = answer.stdout + answer.stderr + shell.check(role, SECRETS).stdout + shell.apply(role, SECRETS).stderr
    assert "secret" in said
    assert "BEGIN KEY" not in said
    assert "BEGIN KEY" not in shell.run("grep -rl 'BEGIN KEY' /run/henhouse").stdout


def test_facts_are_one_object(shell: Shell) -> None:
    role = Role("facts", (), facts=(Fact("kernel", "uname -s"), Fact("odd", "printf 'a\"b\\\\c\\td'")))
    assert shell.apply(role).facts == {"kernel": "Linux", "odd": 'a"b\\c\td'}


def test_check_tells_the_digest_of_a_fact_and_not_the_fact(shell: Shell) -> None:
    known = Fact("known", "echo a secret of the machine")
    lost = Fact("lost", "false\necho not reached")
    lines = Fact("lines", "printf 'two\\nlines'")
    answer = shell.check(Role("facts", (), facts=(known, lost, lines, Fact("passing", "date", lasting=False))))
    assert answer.digests == {
        "known": hashlib.sha256(b"a secret of the machine").hexdigest(),
        "lost": "",
        "lines": "",
    }
    assert "a secret" not in answer.stdout + answer.stderr


@pytest.mark.parametrize("command", ["false\necho not reached", "printf 'two\\nlines'"])
def test_fact_that_cannot_be_told_ends_an_apply(shell: Shell, command: str) -> None:
    answer = shell.apply(Role("facts", (), facts=(Fact("lost", command),)))
    assert answer.status != 0
    assert "fact lost: failed" in answer.stderr


REFUSED = [
    (
        "the tool's words",
        Script("it is so", "false", "echo no such thing; exit 7"),
        "it is so: failed with exit status 7",
        "no such thing",
    ),
    ("a secret in them", Script("it is so", "false", "secret key; exit 7"), "it is so: failed", "[secret key]"),
    (
        "an apply that changes nothing",
        Script("it is so", "false", "true"),
        "it is so: failed",
        "still found: it does not hold",
    ),
    ("a part of an apply", Script("it is so", "false", "false\ntrue"), "it is so: failed", ""),
    (
        "a content that is refused",
        File("/tmp/x/f", "bad\n", validate='echo "line 1: bad"; ! grep -q bad "$NEW"'),
        "file /tmp/x/f: failed",
        "line 1: bad",
    ),
    ("a directory to be removed", Absent("/tmp/x"), "file /tmp/x: failed", "Is a directory"),
    ("a directory to be overwritten", File("/tmp/x", "x\n"), "file /tmp/x: failed", "directories are not replaced"),
]


@pytest.mark.parametrize(("item", "error", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_failure_names_machine_role_and_item(shell: Shell, item: Item, error: str, words: str) -> None:
    answer = shell.apply(Role("items", (item,)), SECRETS)
    assert answer.status != 0
    assert answer.stdout == ""
    assert f"henhouse: chick0: items: {error}" in answer.stderr.splitlines()[-1]
    assert words in answer.stderr
    assert "BEGIN KEY" not in answer.stderr
    assert shell.run("find /tmp/x -type f").stdout == "", "nothing half-done is left"


def test_refused_content_leaves_the_old_one(shell: Shell) -> None:
    shell.run("echo old >/tmp/x/f")
    shell.apply(Role("items", (File("/tmp/x/f", "new\n", validate='grep -q old "$NEW"'),)))
    assert shell.run("cat /tmp/x/f").stdout == "old\n"


def test_items_after_a_failure_wait(shell: Shell) -> None:
    role = Role("items", (Script("first", "false", "false"), File("/tmp/x/second", "x\n")))
    assert shell.apply(role).status != 0
    assert shell.run("ls /tmp/x").stdout == ""


def test_second_apply_waits_for_the_first(shell: Shell) -> None:
    """A `pulumi up` that is interrupted leaves its script running on the machine."""
    slow = Script(
        "slow",
        "test -e /tmp/x/done",
        "touch /tmp/x/began; while ! test -e /tmp/x/go; do sleep 0.1; done; touch /tmp/x/done",
    )
    with_first = (
        "bash -s apply >/dev/null 2>&1 </tmp/x/first & until test -e /tmp/x/began; do sleep 0.1; done; "
        "bash -s apply </tmp/x/second & (sleep 1; test ! -e /tmp/x/after && touch /tmp/x/waited; touch /tmp/x/go); wait"
    )
    shell.run("cat >/tmp/x/first", render(Role("one", (slow,)), "chick0"))
    shell.run(
        "cat >/tmp/x/second",
        render(Role("two", (Script("after", "test -e /tmp/x/after", "touch /tmp/x/after"),)), "chick0"),
    )
    assert shell.run(with_first).status == 0
    assert shell.run("ls /tmp/x/waited /tmp/x/done /tmp/x/after").status == 0


def test_login_shell_must_be_bash(shell: Shell) -> None:
    answer = shell.run("sh", render(Role("items", ()), "chick0"))
    assert answer.status == 1
    assert "the login shell must be bash" in answer.stderr
