"""The hub, its proxy and the file server's provisioner, from the files and with the arguments that a site gives them.

They run in a network namespace of their own, where the names and ports of the cluster's Services are this computer's.
"""

import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from components.apps.hub.addresses import HUB_PORT, PROXY_API_PORT, PROXY_PORT, SERVER_PORT, hub_url
from components.storage.fileserver.texts import PROVISIONER_CLIENT, PROVISIONER_PORT
from stacks.settings import Site
from tests.bench.hub.cluster import HUB, hub_kubeconfig
from tests.bench.hub.programs import in_the_proxys_image
from tests.certificates import LOOPBACK, Authority
from tests.engine.control_plane import ControlPlane, running
from tests.programs.hub.asking import SECRETS, configured
from tests.stacks.sites import ROOT
from tests.tools import eventually, jupyterhub_python

TOKEN: Final = "token-of-the-bench"
_SERVICE: Final = f"""
from henhouse_hub import c

c.JupyterHub.services.append({{"name": "bench", "api_token": {TOKEN!r}}})
c.JupyterHub.load_roles.append(
    {{"name": "bench", "scopes": ["admin:users", "admin:servers", "read:hub"], "services": ["bench"]}}
)
"""
"""Who asks the hub's API while people come: an administrator's rights, in a fragment as a site's own."""
_FRAGMENT: Final = "95-bench.py"


@dataclass(frozen=True)
class Running:
    """What people and the bench are told."""

    url: str = f"http://{LOOPBACK}:{PROXY_PORT}"
    """What is behind the edge."""
    api: str = f"http://{LOOPBACK}:{HUB_PORT}/hub/api"
    password: str = SECRETS["shared-password"]
    headers: tuple[tuple[str, str], ...] = (("Authorization", f"token {TOKEN}"),)


@contextmanager
def running_site(directory: Path, site: Site, plane: ControlPlane) -> Iterator[Running]:
    """Run it while the block runs; its files and logs are in `directory`."""
    python = str(jupyterhub_python())
    with ExitStack() as stack:
        secrets = {**SECRETS, **stack.enter_context(_provisioner(directory))}
        servers = [sys.executable, "-m", "tests.bench.hub.servers", str(plane.directory), plane.server]
        stack.enter_context(_of_the_tree([*servers, str(SERVER_PORT)], directory / "servers.log"))
        stack.enter_context(running(_proxy(), directory / "proxy.log", CONFIGPROXY_AUTH_TOKEN=SECRETS["proxy-token"]))
        provisioner = f"https://{LOOPBACK}:{PROVISIONER_PORT}"
        (directory / "hub").mkdir()
        config = configured(directory / "hub", site, provisioner, secrets, patience=site.hub.start_timeout_seconds)
        config.with_name(_FRAGMENT).write_text(_SERVICE)
        config.with_name("kubeconfig").write_text(hub_kubeconfig(plane))
        command = [python, "-m", "jupyterhub", f"--config={config}"]
        stack.enter_context(running(command, config.with_name("log"), KUBECONFIG=str(config.with_name("kubeconfig"))))
        found = Running()
        eventually("the hub answers through the proxy", lambda: _answers(f"{found.url}/hub/health"), seconds=180)
        yield found


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def _of_the_tree(command: list[str], log: Path) -> Iterator[None]:
    with running(command, log, PYTHONPATH=str(ROOT)):
        yield


@contextmanager
def _provisioner(directory: Path) -> Iterator[dict[str, str]]:
    """Run the file server's own program on a directory of this computer; yield what the hub's Secret holds of it."""
    authority = Authority()
    credentials, homes = directory / "credentials", directory / "homes"
    for each in (credentials, homes):
        each.mkdir()
    certificate, key = authority.issue("hen")
    for name, text in (("certificate", certificate), ("key", key), ("ca", authority.pem)):
        (credentials / name).write_text(text)
    command = [sys.executable, "-m", "programs.homes", f"--root={homes}", "--first-uid=100000"]
    command += [f"--listen={LOOPBACK}:{PROVISIONER_PORT}", f"--client={PROVISIONER_CLIENT}"]
    certificate, key = authority.issue(PROVISIONER_CLIENT, client=True)
    with _of_the_tree([*command, f"--credentials={credentials}"], directory / "homes.log"):
        yield {"homes-ca.crt": authority.pem, "homes-client.crt": certificate, "homes-client.key": key}


def proxy_command() -> list[str]:
    """Return the proxy's words, as its pod has them."""
    hub = hub_url(HUB)
    return [
        *("configurable-http-proxy", "--ip=0.0.0.0", f"--port={PROXY_PORT}"),
        *("--api-ip=0.0.0.0", f"--api-port={PROXY_API_PORT}"),
        *(f"--default-target={hub}", f"--error-target={hub}/hub/error"),
    ]


def _proxy() -> list[str]:
    """Return the command that runs the proxy."""
    return [*in_the_proxys_image(), *proxy_command()]
