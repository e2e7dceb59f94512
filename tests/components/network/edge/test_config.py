"""The two proxies' configurations, judged by the proxies themselves."""

import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.message import Message
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

from components.network.edge.config import (
    CERTIFICATE_DIRECTORY,
    Upstream,
    haproxy_cfg,
    nginx_conf,
    trusted_addresses,
)
from components.network.edge.roles import CONFIG, edge_proxy
from stacks.load import parse_settings
from tests.certificates import Authority
from tests.stacks.sites import tree
from tests.tools import accepts, eventually, free_port, listens, run, running

pytestmark = pytest.mark.programs

SITE: Final = parse_settings(tree("dev"))
UPSTREAMS: Final = (
    Upstream("hub.henhouse.localhost", IPv4Address("198.18.32.7"), 80),
    Upstream("other.henhouse.localhost", IPv4Address("198.18.32.8"), 8000),
)
HAPROXY: Final = haproxy_cfg(
    hosts=["hub.henhouse.localhost", "other.henhouse.localhost"],
    address=IPv4Address("198.18.48.10"),
    gateway=IPv4Address("198.18.0.2"),
)


def test_haproxy_takes_its_configuration(tmp_path: Path) -> None:
    # The package makes its user; here it is only unpacked.
    (tmp_path / "haproxy.cfg").write_text(
        HAPROXY.replace("user haproxy", "user nobody").replace("group haproxy", "gid 0")
    )
    accepts("haproxy", "-c", "-f", str(tmp_path / "haproxy.cfg"))


def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text(_here(nginx_conf(SITE, UPSTREAMS), tmp_path))
    accepts("nginx", "-t", "-e", "stderr", "-c", str(tmp_path / "nginx.conf"))


def _here(config: str, directory: Path) -> str:
    """Return the pod's configuration with this test's certificate, for whichever nginx is here."""
    certificate, key = Authority().issue("hub.henhouse.localhost")
    (directory / "tls.crt").write_text(certificate)
    (directory / "tls.key").write_text(key)
    version = tuple(map(int, run("nginx", "-v").stdout.split("nginx/")[1].split()[0].split(".")))
    if version < (1, 25, 1):  # Debian 12's nginx knows HTTP/2 only as a parameter of `listen`
        config = config.replace("http2 on;", "")
    return config.replace("/tmp/", f"{directory}/").replace(CERTIFICATE_DIRECTORY, str(directory))


def test_nginx_believes_the_gateway_and_the_nodes_alone() -> None:
    believed = [str(address) for address in trusted_addresses(SITE)]
    assert believed == ["198.18.0.2", "198.18.0.100", "198.18.0.101", "198.18.0.102"]
    config = nginx_conf(SITE, UPSTREAMS)
    assert config.count("set_real_ip_from") == len(believed)
    assert all(f"set_real_ip_from {address};" in config for address in believed)


def test_nginx_resolves_no_name() -> None:
    """With the control plane off, the cluster's DNS may be away, and the login page stays."""
    lines = nginx_conf(SITE, UPSTREAMS).splitlines()
    passed = [line.split()[1] for line in lines if line.strip().startswith("proxy_pass ")]
    assert passed == ["http://198.18.32.7:80;", "http://198.18.32.8:8000;"]
    assert not [line for line in lines if "resolver" in line or ".svc." in line]


def test_configuration_does_not_depend_on_the_order_of_routes() -> None:
    assert nginx_conf(SITE, UPSTREAMS) == nginx_conf(SITE, UPSTREAMS[::-1])


def test_haproxy_is_checked_before_it_is_replaced_and_reloaded_after() -> None:
    package, file, service = edge_proxy(HAPROXY).items
    assert getattr(package, "name", "") == "haproxy"
    assert getattr(file, "validate", "") == 'haproxy -c -f "$NEW"'
    assert getattr(service, "restart_on", ()) == (CONFIG,)
    assert getattr(service, "reload", False) is True


@pytest.mark.parametrize("broken", ["bind", "nonsense"])
def test_haproxy_refuses_a_broken_configuration(tmp_path: Path, broken: str) -> None:
    (tmp_path / "haproxy.cfg").write_text(f"{HAPROXY}\n    {broken}\n")
    assert run("haproxy", "-c", "-f", str(tmp_path / "haproxy.cfg")).returncode != 0


PROVIDED: Final = Upstream("hub.henhouse.localhost", IPv4Address("198.18.32.7"), 80, ("/hub/oauth_callback",))


def test_configuration_is_as_before_where_the_hub_asks_no_provider() -> None:
    assert "asking" not in nginx_conf(SITE, UPSTREAMS)
    assert "limit_req zone=asking" in nginx_conf(SITE, [PROVIDED, UPSTREAMS[1]])
    assert nginx_conf(SITE, [PROVIDED, UPSTREAMS[1]]).count("limit_req zone=asking") == 1


@contextmanager
def edge(directory: Path, hub: int) -> Iterator[int]:
    """Run the edge's own nginx before a hub at this port; provide the port that it answers at."""
    port = free_port()
    config = _here(nginx_conf(SITE, [PROVIDED]), directory)
    config = config.replace("http://198.18.32.7:80;", f"http://127.0.0.1:{hub};")
    config = config.replace("listen 8443 ", f"listen 127.0.0.1:{port} ").replace("listen 808", "listen unix:/tmp/n/")
    config = re.sub(r"listen unix:/tmp/n/([01])", rf"listen unix:{directory}/\1.sock", config)
    (directory / "nginx.conf").write_text(config)
    with running("nginx", "-e", "stderr", "-c", str(directory / "nginx.conf"), log=directory / "log"):
        eventually("nginx", lambda: listens(port), seconds=20)
        yield port


NONE: Final = 1
"""A port that no program listens at."""


def test_campus_logs_in_at_once_and_one_stranger_does_not_use_the_provider_up(tmp_path: Path) -> None:
    """All come from one address. What is let through ends in 503, as there is no hub here."""
    with edge(tmp_path, NONE) as port:
        people = _statuses(port, ["/hub/oauth_login", "/hub/oauth_callback?code=x", "/hub/spawn"] * 250)
        refused = _answers(port, ["/hub/oauth_callback?code=x"] * 1000)
        pages = _statuses(port, ["/hub/home"] * 50)
    assert set(people) == {503}
    told = [answer for answer in refused if answer[0] == 429]
    assert len(told) > 500
    _, headers, text = told[0]
    assert "Wait half a minute" in text
    assert headers["Retry-After"] == "30"
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Strict-Transport-Security"]
    assert set(pages) == {503}


def test_restart_of_the_hubs_proxy_ends_no_kernel_and_is_said_in_plain_words(tmp_path: Path) -> None:
    """JupyterLab asks again after 503; after 502 it tells the person that their kernel died."""
    with edge(tmp_path, NONE) as port:
        ((status, headers, text),) = _answers(port, ["/user/ada/api/kernels/1f"])
    assert status == 503
    assert headers["Retry-After"] == "10"
    assert headers["Strict-Transport-Security"]
    assert "The hub is being restarted. What you have saved is safe" in text


def test_hub_hears_that_people_come_by_https(tmp_path: Path) -> None:
    """Whatever they say themselves."""

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = f"{self.headers['X-Forwarded-Proto']} {self.headers['X-Scheme']}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        Thread(target=server.handle_request, daemon=True).start()
        with edge(tmp_path, server.server_port) as port:
            ((_, _, text),) = _answers(port, ["/hub/home HTTP/1.1\r\nX-Scheme: http\r\nX-Forwarded-Proto: http\r\nA:"])
    assert text == "https https"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_the_hub_itself_answers_is_passed_on(tmp_path: Path, status: int) -> None:
    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"hub")

    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        Thread(target=server.handle_request, daemon=True).start()
        with edge(tmp_path, server.server_port) as port:
            ((found, _, text),) = _answers(port, ["/hub/home"])
    assert (found, text) == (status, "hub")


def _statuses(port: int, paths: Sequence[str]) -> list[int]:
    return [status for status, _, _ in _answers(port, paths)]


def _answers(port: int, paths: Sequence[str]) -> list[tuple[int, Message, str]]:
    """Ask for each path on one connection that the gateway passed on; return statuses, headers and texts."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.sendall(b"PROXY TCP4 203.0.113.7 198.18.0.2 40000 443\r\n")
        with context.wrap_socket(plain, server_hostname="hub.henhouse.localhost") as connection:
            found: list[tuple[int, Message, str]] = []
            for path in paths:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: hub.henhouse.localhost\r\n\r\n".encode())
                answer = HTTPResponse(connection)
                answer.begin()
                found.append((answer.status, answer.headers, answer.read().decode()))
    return found
