"""`ops repair` with the real engine, on machines of real SSH servers and on objects of a real API server."""

import json
import os
import pty
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from engine.install import Engine
from tests.engine import sshd
from tests.engine.control_plane import ControlPlane, control_plane
from tests.engine.project import STACK, Project, name_of
from tests.stacks.sites import ROOT

pytestmark = pytest.mark.engine

MERGE: Final = "application/merge-patch+json"


class Site:
    """A stack of the small site, and its machines."""

    def __init__(self, stack: Project) -> None:
        self.stack = stack
        self.servers: dict[str, sshd.Server] = {}
        self.stop: dict[str, ExitStack] = {}
        """Ends a machine's server."""

    def machines(self, *names: str) -> str:
        """Return the setting that describes these machines (default: all)."""
        found = {name: each for name, each in self.servers.items() if not names or name in names}
        return json.dumps({name: [each.port, each.host_key] for name, each in found.items()})

    def file(self, machine: str, what: str = "told") -> Path:
        """Return the file that the role wrote on the machine."""
        return self.servers[machine].files / f"{machine}-{what}"

    def kept(self, machine: str, what: str = "told") -> bool:
        """Whether the machine has what its second role was given by the first, as the state has it."""
        facts = json.loads(self.stack.resource(f"{machine}-{what}-command")["outputs"]["stdout"].splitlines()[-1])
        return bool(self.file(machine, f"{what}-run").read_text().strip() == facts["run"])

    def ops(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.CompletedProcess[str]:
        """Run a command of day 2."""
        return subprocess.run(
            [sys.executable, "-m", "ops", *arguments, "--stack", STACK],
            cwd=self.stack.directory,
            env={**self.stack.environment, "PYTHONPATH": str(ROOT)},
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def repair(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        """Repair, and return what is said of it."""
        done = self.ops("repair", "--json", *arguments)
        assert done.returncode == status, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def drift(self) -> set[str]:
        """Return the roles and kinds that have drifted."""
        return {each["role"] for each in json.loads(self.ops("drift", "--json").stdout)["differences"]}

    def urns(self) -> set[str]:
        """Return the names of the resources in the state."""
        return {name_of(each["urn"]) for each in self.stack.state()["resources"]}


@pytest.fixture(scope="module")
def site(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Provide the small site, up; each test leaves it as it was."""
    directory = tmp_path_factory.mktemp("site")
    (directory / "backend").mkdir()
    with ExitStack() as running:
        made = Site(
            Project(
                "henhouse", directory / "henhouse", {**engine.env, "PULUMI_BACKEND_URL": f"file://{directory}/backend"}
            )
        )
        for name in ("one", "two"):
            (directory / name).mkdir()
            made.stop[name] = ExitStack()
            running.push(made.stop[name])
            made.servers[name] = made.stop[name].enter_context(sshd.server(directory / name))
        one = made.servers["one"].files  # its key lets in everywhere
        (made.servers["two"].files / "client.pub").write_text((one / "client.pub").read_text())
        made.stack.environment["PYTHONPATH"] = str(ROOT)
        made.stack.environment.pop("SSH_AUTH_SOCK", None)
        made.stack.mark()
        made.stack.configure(machines=made.machines())
        made.stack.configure_secret("private_key", (one / "client").read_text())
        made.stack.up()
        yield made


def test_nothing_drifted_nothing_run(site: Site) -> None:
    before = site.stack.state()
    assert site.repair()["repaired"] == []
    assert "No drift, nothing to repair" in site.ops("repair").stdout
    assert site.stack.state() == before


def test_what_drifted_is_repaired_with_what_follows_and_no_edit_is_applied(site: Site) -> None:
    site.file("one").write_text("by hand\n")
    site.stack.configure(other="edited")
    done = site.ops("repair")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "~ 2 updated" in done.stdout
    assert "because the program or the settings changed" in done.stdout
    assert "`pulumi up` applies them" in done.stdout
    assert "one-other-command (update), " in done.stdout
    assert "Repaired; no drift is left: 2 machines, 8 roles" in done.stdout
    assert site.file("one").read_text() == "as told\n"
    assert site.kept("one")
    assert site.file("one", "other").read_text() == site.file("two", "other").read_text() == "other\n"
    site.stack.configure(other=None)


def test_drift_of_what_was_edited_too_is_held_back(site: Site) -> None:
    site.file("one").write_text("by hand\n")
    site.file("two", "other").write_text("by hand\n")
    site.stack.configure(told="edited")
    done = site.repair(status=1)
    assert done["held_back"] == {"one-told-command": "the program or the settings changed it too"}
    assert site.file("one").read_text() == "by hand\n"
    assert site.file("two", "other").read_text() == "other\n"
    assert {each["role"] for each in done["differences"]} == {"told"}
    site.stack.configure(told=None)
    site.file("one").write_text("as told\n")


def test_role_that_left_the_program_is_not_removed_by_a_repair(site: Site) -> None:
    site.file("two").write_text("by hand\n")
    before = site.urns()
    site.stack.configure(machines=site.machines("one"))
    done = site.repair(status=1)
    assert set(done["held_back"]) == {"two-told-command"}
    assert site.urns() == before
    site.stack.configure(machines=site.machines())
    site.file("two").write_text("as told\n")


def test_real_stack_is_not_changed_without_consent(site: Site) -> None:
    site.file("one").write_text("by hand\n")
    site.stack.mark("false")
    done = site.ops("repair")
    assert done.returncode == 1
    assert "is not a lab's stack, and the input is not a terminal" in done.stderr
    assert "nothing was changed" in done.stderr
    assert f"python -m ops repair --stack {STACK} --yes" in done.stderr
    there, here = pty.openpty()
    os.write(there, b"n\n")
    done = site.ops("repair", stdin=here)
    assert done.returncode == 1
    assert "Update these 2 resources of lab? [y/N]" in done.stderr
    assert site.file("one").read_text() == "by hand\n"
    # The lab's own plugins refuse a real stack: asking is over, and what they say is shown.
    os.write(there, b"y\n")
    for agreed in (site.ops("repair", stdin=here), site.ops("repair", "--yes")):
        assert agreed.returncode == 1
        assert "henhouse:lab" in agreed.stdout
    os.close(there)
    os.close(here)
    site.stack.mark()
    site.file("one").write_text("as told\n")


def test_lock_of_a_killed_engine_stops_nothing(site: Site) -> None:
    site.file("one").write_text("by hand\n")
    ended = subprocess.Popen(["true"])
    ended.wait()
    backend = Path(site.stack.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
    lock = backend / f".pulumi/locks/organization/henhouse/{STACK}/killed.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = {"pid": ended.pid, "username": "x", "hostname": socket.gethostname(), "timestamp": "2026-01-01T00:00:00Z"}
    lock.write_text(json.dumps(held))
    done = site.ops("repair")
    assert "removed the lock of an update that was killed" in done.stderr
    assert done.returncode == 0, done.stdout
    assert site.file("one").read_text() == "as told\n"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="module")
def with_cluster(site: Site, cluster: ControlPlane) -> Site:
    site.stack.configure(kubeconfig=cluster.kubeconfig)
    site.stack.up()
    return site


def _config_map(site: Site) -> str:
    return f"/api/v1/namespaces/site/configmaps/{site.stack.resource('settings')['outputs']['metadata']['name']}"


def test_object_changed_and_object_deleted_by_hand(with_cluster: Site, cluster: ControlPlane) -> None:
    server = "/api/v1/namespaces/site/services/server"
    cluster.ask("PATCH", f"{_config_map(with_cluster)}?fieldManager=kubectl-edit", {"data": {"text": "by hand"}}, MERGE)
    cluster.ask("DELETE", server)
    with_cluster.file("two").write_text("by hand\n")
    with_cluster.stack.configure(other="edited")
    done = with_cluster.repair()
    assert {each["role"] for each in done["found"]} == {"told", "ConfigMap", "Service"}
    assert set(done["repaired"]) == {"two-told-command", "two-told-kept-command", "settings", "server"}
    assert cluster.ask("GET", _config_map(with_cluster))["data"]["text"] == "one"
    assert cluster.exists(server)
    assert with_cluster.file("two", "other").read_text() == "other\n"
    with_cluster.stack.configure(other=None)
    assert with_cluster.drift() == set()


def test_what_uses_an_object_by_its_generated_name_follows(with_cluster: Site, cluster: ControlPlane) -> None:
    before = _config_map(with_cluster)
    cluster.ask("DELETE", before)
    done = with_cluster.repair()
    assert done["left"] == []
    idle = cluster.ask("GET", "/apis/apps/v1/namespaces/site/deployments/idle")
    (source,) = idle["spec"]["template"]["spec"]["containers"][0]["envFrom"]
    assert before != _config_map(with_cluster) == f"/api/v1/namespaces/site/configmaps/{source['configMapRef']['name']}"


def test_edit_of_an_object_is_not_applied_to_it_by_a_repair(with_cluster: Site, cluster: ControlPlane) -> None:
    path = _config_map(with_cluster)
    cluster.ask("PATCH", f"{path}?fieldManager=kubectl-edit", {"data": {"text": "by hand"}}, MERGE)
    with_cluster.stack.configure(text="edited")
    done = with_cluster.repair(status=1)
    assert done["held_back"] == {"settings": "the program or the settings changed it too"}
    assert cluster.ask("GET", path)["data"]["text"] == "by hand"
    with_cluster.stack.configure(text=None)
    assert with_cluster.repair()["repaired"] == ["settings"]


def test_way_to_the_cluster_that_was_edited_holds_everything_back(with_cluster: Site) -> None:
    """The engine updates providers whatever its targets are, and with them what they are the providers of."""
    with_cluster.file("one").write_text("by hand\n")
    with_cluster.stack.configure(identifier="another")
    (why,) = with_cluster.repair(status=1)["held_back"].values()
    assert "how the cluster is reached" in why
    assert with_cluster.file("one").read_text() == "by hand\n"
    with_cluster.stack.configure(identifier=None)
    with_cluster.file("one").write_text("as told\n")


def test_object_that_has_another_owner_by_now_is_left_and_named(with_cluster: Site, cluster: ControlPlane) -> None:
    path = "/apis/apps/v1/namespaces/site/deployments/idle"
    cluster.ask("PATCH", f"{path}?fieldManager=someone", {"spec": {"replicas": 1}}, MERGE)
    done = with_cluster.repair(status=1)
    assert done["repaired"] == ["idle"]
    assert [each["resource"] for each in done["left"]] == ["idle"]
    assert cluster.ask("GET", path)["spec"]["replicas"] == 1
    assert 'conflict with "someone"' in done["left"][0]["reason"]
    # The program cannot be previewed any more; other things are repaired all the same.
    with_cluster.file("one").write_text("by hand\n")
    done = with_cluster.repair()
    assert 'conflict with "someone"' in done["obstacle"]
    assert with_cluster.file("one").read_text() == "as told\n"
    cluster.ask("DELETE", path)


def test_machine_that_does_not_answer_is_named_and_the_others_are_repaired(site: Site) -> None:
    """The last: the machine stays off."""
    site.file("one").write_text("by hand\n")
    site.stop["two"].close()
    done = site.repair(status=2)
    assert {each["machine"] for each in done["unseen"]} == {"two"}
    assert {"one-told-command", "one-told-kept-command"} <= set(done["repaired"])
    assert site.file("one").read_text() == "as told\n"
