"""Alerts reach people: a real Alertmanager takes the configuration, and hands alerts to servers of this test."""

import asyncio
import json
import re
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from components.observability.monitoring.alerting import (
    CONFIG,
    SHOWN_ONLY,
    WATCHDOG,
    alertmanager,
    alertmanager_yml,
    secrets_of,
    watchdog_rules,
)
from components.observability.monitoring.config import CREDENTIALS_DIRECTORY
from converge.items import File
from stacks.load import parse_settings
from stacks.settings import MonitoringSettings, Site
from tests.stacks.sites import changed, tree
from tests.tools import accepts, free_port, served_by_the_machines

pytestmark = pytest.mark.programs

MAIL: Final = {"type": "mail", "to": ["ops@example.org", "ada@example.org"], "sender": "hen@example.org"}
HELLO: Final = "rooster.henhouse.localhost"
EVERY_KIND: Final[Mapping[str, Any]] = {
    "receivers": {
        "mail": {**MAIL, "smarthost": "mail.example.org:587", "user": "hen", "password": "T0P-S3CRET-1"},
        "old-mail": {**MAIL, "smarthost": "mail.example.org:465", "user": "hen", "password": "T0P-S3CRET-2"},
        "near-mail": {**MAIL, "smarthost": "198.18.0.1:25", "tls": "off", "severities": ["warning"]},
        "chat": {"type": "slack", "url": "https://hooks.example.org/T0P-S3CRET-3", "channel": "#ops"},
        "phone": {"type": "webhook", "url": "https://x.example.org/T0P-S3CRET-4", "severities": ["critical"]},
    },
    "alert_webhook": "https://y.example.org/T0P-S3CRET-5",
    "watchdog": "https://z.example.org/T0P-S3CRET-6",
}


def site(**monitoring: object) -> Site:
    return parse_settings(changed(tree("dev"), {"monitoring": monitoring}))


def configured(monitoring: MonitoringSettings) -> dict[str, Any]:
    tree: dict[str, Any] = yaml.safe_load(alertmanager_yml(monitoring, HELLO))
    return tree


@pytest.mark.parametrize(
    "monitoring", [{}, EVERY_KIND, *({"receivers": {n: r}} for n, r in EVERY_KIND["receivers"].items())], ids=str
)
def test_alertmanager_takes_its_configuration(tmp_path: Path, monitoring: Mapping[str, Any]) -> None:
    (tmp_path / "alertmanager.yml").write_text(alertmanager_yml(site(**monitoring).monitoring, HELLO))
    accepts("amtool", "check-config", str(tmp_path / "alertmanager.yml"))


def routed(tmp_path: Path, monitoring: Mapping[str, Any], **labels: str) -> list[str]:
    """Return the receivers that Alertmanager's own tool finds for an alert."""
    (tmp_path / "alertmanager.yml").write_text(alertmanager_yml(site(**monitoring).monitoring, HELLO))
    words = [f"{name}={value}" for name, value in labels.items()]
    path = str(tmp_path / "alertmanager.yml")
    said = accepts("amtool", "config", "routes", "test", f"--config.file={path}", *words)
    # It warns first that it does not ask an Alertmanager that runs.
    return sorted(said.strip().splitlines()[-1].split(","))


def test_each_is_told_of_the_severities_that_it_has_asked_for(tmp_path: Path) -> None:
    everything = ["alert-webhook", "chat", "mail", "old-mail"]
    assert routed(tmp_path, EVERY_KIND, alertname="HubDown", severity="critical") == sorted([*everything, "phone"])
    assert routed(tmp_path, EVERY_KIND, alertname="X", severity="warning") == sorted([*everything, "near-mail"])
    assert routed(tmp_path, EVERY_KIND, alertname="Watchdog", severity="none") == [WATCHDOG]
    assert routed(tmp_path, {}, alertname="HubDown", severity="critical") == [SHOWN_ONLY]
    phone = {"receivers": {"phone": EVERY_KIND["receivers"]["phone"]}}
    assert routed(tmp_path, phone, alertname="X", severity="warning") == [SHOWN_ONLY]


def test_secrets_are_files_that_alertmanager_alone_reads() -> None:
    settings = site(**EVERY_KIND)
    items = list(alertmanager(settings))
    secrets = secrets_of(settings.monitoring)
    assert len(secrets) == 6
    assert "T0P-S3CRET" not in repr(items)
    files = {item.secret: item for item in items if isinstance(item, File) and item.secret}
    assert files.keys() == secrets.keys()
    assert {(file.mode, file.owner) for file in files.values()} == {("0600", "prometheus")}
    (config,) = (item for item in items if isinstance(item, File) and item.path == CONFIG)
    assert sorted(re.findall(rf"_file: ({CREDENTIALS_DIRECTORY}/\S+)", config.content or "")) == sorted(
        file.path for file in files.values()
    )


def test_port_465_speaks_tls_from_the_first_byte() -> None:
    """There is no STARTTLS to require there, and Alertmanager would refuse to send."""
    mails = {
        r["name"]: r["email_configs"][0]
        for r in configured(site(**EVERY_KIND).monitoring)["receivers"]
        if "email_configs" in r
    }
    turns = {name: mail["require_tls"] for name, mail in mails.items()}
    assert turns == {"mail": True, "old-mail": False, "near-mail": False}


def test_watchdog_always_fires_where_it_has_a_receiver(tmp_path: Path) -> None:
    assert watchdog_rules(site().monitoring) == {}
    ((name, rules),) = watchdog_rules(site(**EVERY_KIND).monitoring).items()
    (tmp_path / name).write_text(rules)
    labels = {"alertname": "Watchdog", "severity": "none"}
    fires = {"exp_labels": labels, "exp_annotations": yaml.safe_load(rules)["groups"][0]["rules"][0]["annotations"]}
    case = {"interval": "1m", "alert_rule_test": [{"eval_time": "0m", "alertname": "Watchdog", "exp_alerts": [fires]}]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"rule_files": [name], "tests": [case]}))
    accepts("promtool", "test", "rules", str(tmp_path / "test.yml"))


@dataclass
class Inbox:
    """What has arrived."""

    mails: list[str] = field(default_factory=list)
    posts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    """What the mail server was told before a message, such as AUTH."""


async def _smtp(inbox: Inbox, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take mail from one client (RFC 5321)."""

    async def say(line: str) -> None:
        writer.write(f"{line}\r\n".encode())
        await writer.drain()

    await say("220 mail.test ESMTP")
    while line := (await reader.readline()).decode().strip():
        inbox.commands.append(line)
        match line.split()[0].upper():
            case "EHLO":
                await say("250-mail.test\r\n250 AUTH PLAIN")
            case "AUTH":
                await say("235 welcome")
            case "DATA":
                await say("354 end with a dot")
                inbox.mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
                await say("250 taken")
            case "QUIT":
                await say("221 bye")
                break
            case _:
                await say("250 fine")
    writer.close()


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int, int]]:
    """Provide what arrives at a mail server and at a web server on loopback, and their ports."""
    found = Inbox()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.posts.setdefault(self.path, []).append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    web = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    loop = asyncio.new_event_loop()
    mail = loop.run_until_complete(asyncio.start_server(lambda r, w: _smtp(found, r, w), "127.0.0.1", 0))
    threading.Thread(target=loop.run_forever, daemon=True).start()
    yield found, mail.sockets[0].getsockname()[1], web.server_address[1]
    web.shutdown()
    loop.call_soon_threadsafe(loop.stop)


def eventually(holds: Callable[[], bool], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.2)


def test_alert_reaches_a_mailbox_and_a_hook(inbox: tuple[Inbox, int, int], tmp_path: Path) -> None:
    """A real Alertmanager, with the configuration of a site and its secrets in files, on loopback."""
    found, smtp, http = inbox
    hook = f"http://127.0.0.1:{http}"
    settings = site(
        receivers={
            # Go's client gives a password to a server on loopback without TLS, and to no other.
            "mail": {**MAIL, "smarthost": f"localhost:{smtp}", "user": "hen", "password": "T0P-S3CRET"},
            "chat": {"type": "slack", "url": f"{hook}/slack/T0P-S3CRET"},
            "phone": {"type": "webhook", "url": f"{hook}/phone", "severities": ["critical"]},
            "unused": {"type": "webhook", "url": f"{hook}/warnings", "severities": ["warning"]},
        },
        watchdog=f"{hook}/watchdog",
    )
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    for name, value in secrets_of(settings.monitoring).items():
        (credentials / name).write_text(value)
    text = alertmanager_yml(settings.monitoring, HELLO).replace(CREDENTIALS_DIRECTORY, str(credentials))
    # This server offers no TLS; and the test does not wait for half a minute.
    text = text.replace("require_tls: true", "require_tls: false").replace("group_wait: 30s", "group_wait: 0s")
    (tmp_path / "alertmanager.yml").write_text(text)
    port = free_port()
    command = [
        *served_by_the_machines("prometheus-alertmanager"),
        f"--config.file={tmp_path / 'alertmanager.yml'}",
        f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with open(tmp_path / "log", "w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            eventually(lambda: _ready(port), (tmp_path / "log").read_text)
            _fire(port, {"alertname": "HubDown", "severity": "critical"}, {"alertname": "Watchdog", "severity": "none"})
            eventually(
                lambda: bool(found.mails) and {"/phone", "/slack/T0P-S3CRET", "/watchdog"} <= found.posts.keys(),
                lambda: f"{found}\n{(tmp_path / 'log').read_text()}",
            )
        finally:
            process.terminate()
    (mail,) = found.mails
    assert "To: ops@example.org, ada@example.org" in mail
    assert "From: hen@example.org" in mail
    assert "HubDown" in mail
    assert {command for command in found.commands if command.startswith("RCPT")} == {
        "RCPT TO:<ops@example.org>",
        "RCPT TO:<ada@example.org>",
    }
    assert f"EHLO {HELLO}" in found.commands
    assert any(command.startswith("AUTH PLAIN") for command in found.commands)
    assert found.posts["/phone"][0]["alerts"][0]["labels"]["alertname"] == "HubDown"
    assert [each["alerts"][0]["labels"]["alertname"] for each in found.posts["/watchdog"]] == ["Watchdog"]
    assert "/warnings" not in found.posts


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _fire(port: int, *labels: Mapping[str, str]) -> None:
    alerts = json.dumps([{"labels": each, "annotations": {"summary": "it is down"}} for each in labels]).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v2/alerts", alerts, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
