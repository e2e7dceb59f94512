"""`ops dns`: records beside the answers of a real name server, and the job that brings them there."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.__main__ import parser
from ops.commands import dns
from ops.exits import Exit
from ops.names import DnsError, Finding, Server, default_zone, judge, records_of, server_of, write
from stacks.load import parse_settings
from stacks.outputs.dns import Record, dns_records
from tests.nameserver import ADDRESS, NameServer, name_server
from tests.stacks.sites import ROOT, tree

ZONE = "flock.example.org."
HUB = f"hub.{ZONE}"
TWO = Record(HUB, "A", 300, ("198.18.0.2", "198.18.0.3"))


@pytest.mark.parametrize(
    ("expected", "found", "ttl", "problem"),
    [
        (TWO, {"198.18.0.3", "198.18.0.2"}, 300, None),
        (TWO, {"198.18.0.3", "198.18.0.2"}, None, None),
        (TWO, set(), None, "missing"),
        (TWO, {"198.18.0.2"}, 300, "differing"),
        (TWO, {"198.18.0.2", "198.18.0.3", "198.18.0.4"}, 300, "differing"),
        (TWO, {"198.18.0.3", "198.18.0.2"}, 60, "differing"),
        (None, {"2001:db8::1"}, 300, "needless"),
        (None, set(), None, None),
    ],
)
def test_answer_is_judged(expected: Record | None, found: set[str], ttl: int | None, problem: str | None) -> None:
    finding = judge(HUB, "A", expected, frozenset(found), ttl)
    assert (finding.problem if finding else None) == problem


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("198.18.0.53", Server("198.18.0.53", 53)),
        ("198.18.0.53:5353", Server("198.18.0.53", 5353)),
        ("2001:db8::53", Server("2001:db8::53", 53)),
        ("[2001:db8::53]:5353", Server("2001:db8::53", 5353)),
    ],
)
def test_server_may_have_a_port(text: str, server: Server) -> None:
    assert server_of(text) == server


@pytest.mark.parametrize("data", [{}, [], {"dns_records": None}, [{"name": HUB}], "text", {"dns_records": "[secret]"}])
def test_what_holds_no_records_is_refused(data: Any) -> None:
    with pytest.raises(DnsError, match="pulumi stack output --json"):
        records_of(data)


def test_records_outside_the_zone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DnsError, match=r"hub\.flock\.example\.org\. is not in it"):
        write([TWO], "ock.example.org", "henhouse-a", tmp_path)


def test_zone_of_all_records() -> None:
    assert default_zone([TWO]) == ZONE
    assert default_zone([TWO, Record("www.example.org.", "A", 300, ())]) == "example.org."


def test_zone_itself_may_have_a_record(tmp_path: Path) -> None:
    write([Record(ZONE, "A", 300, ("198.18.0.2",)), TWO], ZONE, "henhouse-a", tmp_path)
    assert set(yaml.safe_load((tmp_path / f"zones/{ZONE}yaml").read_text())) == {"", "hub"}


def test_records_of_a_file_need_an_owner(outputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ops("--records", str(outputs), "--write", str(tmp_path / "a")) == Exit.UNSEEN
    assert "--owner" in capsys.readouterr().err


def test_zone_file_is_printed(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ops("--records", str(outputs), "--zone-file") == Exit.SAME
    assert capsys.readouterr().out == f"{HUB} 3600 IN A 203.0.113.10\n"


def test_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ops("--records", str(tmp_path / "none.json"), "--zone-file") == Exit.UNSEEN
    assert "none.json: " in capsys.readouterr().err


def test_server_that_does_not_answer(
    outputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.names.ASK_SECONDS", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((ADDRESS, 0))
        port = free.getsockname()[1]
    assert _ops("--records", str(outputs), "--resolver", f"{ADDRESS}:{port}") == Exit.UNSEEN
    assert f"{ADDRESS} port {port} does not answer for {HUB} A" in capsys.readouterr().err


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """Return a file of the example site's outputs, as a job keeps them."""
    return _written(tmp_path / "outputs.json", "hub.flock.example.org")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    with name_server(ZONE, tmp_path_factory.mktemp("knot")) as running:
        yield running


@pytest.mark.programs
def test_job_brings_the_records_and_brings_them_back(
    server: NameServer, outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("--records", str(outputs), "--resolver", f"{ADDRESS}:{server.port}")
    assert _found(capsys, *asked) == [Finding(HUB, "A", "missing", "203.0.113.10", "nothing")]

    assert "Create" in _job(server, outputs)  # without --doit, the plan is only shown
    assert not server.holds(HUB, "A")
    _job(server, outputs, "--doit")
    assert server.holds(HUB, "A") == {"203.0.113.10"}
    assert server.holds(f"mail.{ZONE}", "A") == {"198.18.0.25"}, "what the job did not make is left alone"
    assert _found(capsys, *asked) == []
    assert "answers what the stack says: 1 record sets" in _printed(capsys, *asked)

    server.change(HUB, "A")
    assert _found(capsys, *asked) == [Finding(HUB, "A", "missing", "203.0.113.10", "nothing")]
    server.change(HUB, "A", "198.18.0.66")
    assert _found(capsys, *asked) == [Finding(HUB, "A", "differing", "203.0.113.10", "198.18.0.66")]
    server.change(HUB, "AAAA", "2001:db8::66")
    assert Finding(HUB, "AAAA", "needless", "nothing", "2001:db8::66") in _found(capsys, *asked)
    server.change(HUB, "AAAA")
    _job(server, outputs, "--doit")
    assert _found(capsys, *asked) == []


@pytest.mark.programs
def test_record_that_left_the_stack_is_named_and_removed(
    server: NameServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    two, one = (_written(tmp_path / f"{len(hosts)}.json", *hosts) for hosts in (("hub", "old"), ("hub",)))
    _job(server, two, "--doit")
    assert server.holds(f"old.{ZONE}", "A")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    asked = ("--records", str(one), "--resolver", f"{ADDRESS}:{server.port}")
    assert _found(capsys, *asked, "--transfer", "--owner", "henhouse-prod") == [
        Finding(f"old.{ZONE}", "A", "needless", "nothing", "203.0.113.10")
    ]
    _job(server, one, "--doit")
    assert not server.holds(f"old.{ZONE}", "A")
    assert server.holds(f"mail.{ZONE}", "A")


@pytest.mark.programs
def test_wrong_key_is_refused(server: NameServer, outputs: Path) -> None:
    wrong = {**server.environment, "DNS_KEY_SECRET": "d3Jvbmc="}
    done = _run(wrong, outputs, "--doit")
    assert done.returncode != 0
    assert "d3Jvbmc=" not in done.stdout


@pytest.mark.parametrize("file", [".github/workflows/dns.yml", ".gitlab-ci.yml"])
def test_templates_run_the_script_that_is_tested(file: str) -> None:
    text = (ROOT / file).read_text()
    assert 'scripts/dns.sh "$STACK" outputs.json --doit' in text
    for name in ("DNS_SERVER", "DNS_ZONE", "DNS_KEY_NAME", "DNS_KEY_SECRET", "PULUMI_BACKEND_URL"):
        assert name in text
    yaml.safe_load(text)


def _written(file: Path, *hosts: str) -> Path:
    names = [host if "." in host else f"{host}.{ZONE.rstrip('.')}" for host in hosts]
    records = [record.as_data() for record in dns_records(parse_settings(tree("prod")), names)]
    file.write_text(json.dumps({"hub_url": f"https://{names[0]}", "dns_records": records}))
    return file


def _ops(*arguments: str) -> Exit:
    return dns.run(parser().parse_args(["dns", *arguments]))


def _printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    _ops(*arguments)
    return capsys.readouterr().out


def _found(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[Finding]:
    """Return what differs; the exit status says the same."""
    status = _ops(*arguments, "--json")
    found = [Finding(**each) for each in json.loads(capsys.readouterr().out)]
    assert status == (Exit.DIFFERENT if found else Exit.SAME)
    return found


def _job(server: NameServer, outputs: Path, *words: str) -> str:
    done = _run({**server.environment}, outputs, *words)
    assert done.returncode == 0, done.stdout
    assert server.secret not in done.stdout
    return done.stdout


def _run(environment: dict[str, str], outputs: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts/dns.sh", "prod", outputs, *words],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
