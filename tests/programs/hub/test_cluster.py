"""The hub and an API server that comes late, as after a power cut."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.apps.hub.site_json import WAIT_FOR_CLUSTER, config_files, site_json
from tests.certificates import LOOPBACK
from tests.programs.hub.api_server import TOKEN, ApiServer, api_server
from tests.programs.hub.asking import NO_PROVISIONER, ask, kubeconfig, site
from tests.tools import eventually, jupyterhub_python

pytestmark = pytest.mark.programs


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiServer]:
    account = tmp_path / "account"
    account.mkdir()
    with api_server(account) as late:
        yield late


def test_hub_waits_until_it_may_see_user_pods(api: ApiServer, tmp_path: Path) -> None:
    values = site_json(site(), NO_PROVISIONER, hub="hub", users="users", claim="homes")
    for name, text in {WAIT_FOR_CLUSTER: config_files(site().hub)[WAIT_FOR_CLUSTER], "site.json": values}.items():
        (tmp_path / name).write_text(text)
    token, log = api.account / "token", tmp_path / "log"
    token.write_text("of another account")
    environment = os.environ | {"KUBERNETES_SERVICE_HOST": str(LOOPBACK), "KUBERNETES_SERVICE_PORT": str(api.port)}
    with open(log, "w") as output:
        command = [sys.executable, str(tmp_path / WAIT_FOR_CLUSTER), str(api.account)]
        waiting = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        eventually("a refused connection", lambda: "Connection refused" in log.read_text(), seconds=60)
        api.open()
        eventually("a refused account", lambda: "Error 403" in log.read_text(), seconds=60)
        assert waiting.poll() is None
        token.write_text(TOKEN)
        assert waiting.wait(30) == 0
        assert len(log.read_text().splitlines()) == 2, "a line for each reason, not for each time"
    finally:
        waiting.kill()


def test_servers_are_seen_again_after_the_cluster_was_away(api: ApiServer, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    server = f"https://{LOOPBACK}:{api.port}"
    cluster = kubeconfig(server, **{"certificate-authority": str(api.account / "ca.crt")})

    def come() -> None:
        eventually("the first question", asked.exists, seconds=60)
        api.open()

    jupyterhub_python()  # which may have to be made first
    coming = threading.Thread(target=come)
    coming.start()
    seen = ask(tmp_path, "watch", str(asked), of=site(), cluster=cluster)
    coming.join()
    assert seen == {"before": False, "there": True, "again": True}
