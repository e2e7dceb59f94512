"""How a machine becomes a node, in each state in which it may be found, and what its control plane does for it."""

import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from components.cluster.calico import roles
from components.cluster.calico.kubeconfig import ca_hash
from components.contracts.machines import SshTarget
from converge.items import Script
from stacks.settings import Site
from tests.certificates import Authority
from tests.components.cluster.calico.conftest import TOKEN
from tests.components.cluster.calico.machine import ETC, MachineOfFiles
from tests.tools import free_port

THIS = "1" * 32
EARLIER = "2" * 32


@pytest.fixture
def worker(tmp_path: Path, site: Site, authority: str) -> MachineOfFiles:
    secrets = {"token": TOKEN, "ca_hash": ca_hash(authority)}
    machine = MachineOfFiles(tmp_path, roles.worker_role(site, "chick2"), "node of the cluster", secrets)
    machine.write("/authority.crt", authority)
    return machine


@pytest.fixture
def joined(worker: MachineOfFiles) -> MachineOfFiles:
    assert worker.apply().status == 0
    return worker


def test_new_machine_joins_with_its_token(worker: MachineOfFiles, authority: str) -> None:
    assert worker.check().status == 1
    assert worker.apply().status == 0
    assert worker.did() == ["join"]
    assert worker.path("/joined-with").read_text().strip() == f"token: {TOKEN}"
    assert worker.marks() == set()
    assert worker.check().status == 0


def test_join_that_was_cut_short_is_taken_up(worker: MachineOfFiles) -> None:
    assert worker.apply(fails_at="bootstrap").status == 1
    assert worker.marks() == {"joining"}
    assert worker.apply().status == 0
    assert worker.did() == ["join", "reset", "join"]
    assert worker.marks() == set()


def test_mark_that_outlived_its_join_goes(joined: MachineOfFiles) -> None:
    """Else a file that is lost much later would be taken for an attempt that was cut short."""
    joined.write(f"{ETC}/henhouse/joining")
    assert joined.check().status == 1
    assert joined.apply().status == 0
    assert joined.did() == ["join"]
    assert joined.marks() == set()


def test_node_that_lost_a_file_is_refused(joined: MachineOfFiles) -> None:
    joined.path(f"{ETC}/kubelet.conf").unlink()
    joined.path("/answers").unlink()
    answer = joined.apply(known=True)
    assert answer.status == 1
    assert joined.did() == ["join"]
    assert joined.path(f"{ETC}/pki/ca.crt").exists()
    for word in (f"{ETC}/pki/ca.crt", "restore in progress", "kubeadm reset --force", "ends the pods"):
        assert word in answer.printed


def test_node_of_another_cluster_is_refused(joined: MachineOfFiles) -> None:
    joined.write(f"{ETC}/pki/ca.crt", Authority().pem)
    joined.path("/answers").unlink()
    answer = joined.apply(known=True)
    assert answer.status == 1
    assert "node of another cluster" in answer.printed
    assert joined.did() == ["join"]


def test_node_whose_kubelet_is_down_is_restarted(joined: MachineOfFiles) -> None:
    joined.path("/answers").unlink()
    assert joined.apply().status == 1
    assert "systemctl restart kubelet.service" in (joined.root / "log").read_text()
    assert joined.did() == ["join"]


@pytest.fixture
def ssh_port() -> Iterator[int]:
    """Provide a port of the worker that answers as its SSH server does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def head(tmp_path: Path, site: Site, ssh_port: int) -> MachineOfFiles:
    """Provide the control plane that admits chick2, which is up and no node."""
    chick2 = SshTarget("chick2", "127.0.0.1", site.hosts["chick2"].host_key, port=ssh_port)
    return MachineOfFiles(tmp_path, roles.admission_role(site, chick2), "chick2 may join", {"machine_id": THIS})


def token_ends_in(machine: MachineOfFiles, **left: float) -> None:
    end = datetime.now(UTC) + timedelta(**left)
    machine.write("/token", end.strftime("%Y-%m-%dT%H:%M:%SZ"))


def logged(machine: MachineOfFiles, words: str) -> bool:
    return words in (machine.root / "log").read_text()


def test_new_machine_gets_a_token_for_a_day(head: MachineOfFiles) -> None:
    assert head.check().status == 1
    assert head.apply().status == 0
    assert head.check().status == 0
    assert not logged(head, "delete node")
    left = datetime.fromisoformat(head.path("/token").read_text().strip()) - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(hours=24)


def test_admitted_long_ago_and_never_joined_gets_a_new_token(head: MachineOfFiles) -> None:
    token_ends_in(head, minutes=50)
    assert head.check().status == 1
    token_ends_in(head, minutes=70)
    assert head.check().status == 0
    head.path("/token").unlink()  # cleaned after its time
    assert head.check().status == 1


def test_node_that_runs_needs_no_token(head: MachineOfFiles) -> None:
    head.write("/node", THIS)
    head.write("/kubelet-answers")
    assert head.check().status == 0


def test_machine_that_was_reinstalled_loses_its_old_node_and_gets_a_token(head: MachineOfFiles) -> None:
    head.write("/node", EARLIER)
    token_ends_in(head, hours=20)
    assert "earlier installation" in head.check().printed
    assert head.apply().status == 0
    assert logged(head, "kubectl delete node chick2")
    assert logged(head, "kubeadm token generate")
    assert head.check().status == 0


def test_probe_that_does_not_know_the_new_installation_sees_that_it_needs_a_token(head: MachineOfFiles) -> None:
    """As the state has it, the machine is still the old one: its Node stays until the new id is known."""
    head.write("/node", THIS)
    assert "kubelet does not answer" in head.check().printed
    assert head.apply().status == 0
    assert not logged(head, "delete node")
    head.secrets["machine_id"] = EARLIER
    assert head.check().status == 1
    assert head.apply().status == 0
    assert logged(head, "kubectl delete node chick2")


def test_machine_that_is_off_changes_nothing(
    head: MachineOfFiles, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> None:
    closed = free_port()
    chick2 = SshTarget("chick2", "127.0.0.1", site.hosts["chick2"].host_key, port=closed)
    root = tmp_path_factory.mktemp("off")
    off = MachineOfFiles(root, roles.admission_role(site, chick2), "chick2 may join", {"machine_id": THIS})
    off.write("/node", THIS)
    assert off.check().status == 0


@pytest.mark.parametrize("machine_id", ["", "not an id", THIS[:-1]])
def test_node_is_not_deleted_for_an_id_that_is_none(head: MachineOfFiles, machine_id: str) -> None:
    head.secrets["machine_id"] = machine_id
    head.write("/node", EARLIER)
    head.apply()
    assert not logged(head, "delete node")


def test_node_whose_kubelet_answers_is_never_deleted(head: MachineOfFiles) -> None:
    head.write("/node", EARLIER)
    head.write("/kubelet-answers")
    assert head.check().status == 0
    assert head.apply().status == 0
    assert not logged(head, "delete node")


def test_other_roles_of_the_machine_continue_while_a_worker_is_waited_for(tmp_path: Path, site: Site) -> None:
    """The worker that is waited for needs a token, which another role makes, under the same lock."""
    script = roles.pods_role(site).items[0]
    assert isinstance(script, Script)
    assert script.name == "a worker for the hub is ready"
    (tmp_path / "kubectl").write_text(f"#!/bin/sh\n[ -e {tmp_path}/admitted ] && echo True; exit 0\n")
    (tmp_path / "kubectl").chmod(0o755)
    apply = script.apply.replace("sleep 2", "sleep 0.1")
    text = f"export PATH={tmp_path}:$PATH; exec 9>{tmp_path}/lock; flock 9; touch {tmp_path}/holds\n({apply})\n"
    waiting = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", f"{text}flock --nonblock {tmp_path}/lock true || exit 7"]
    )
    admit = f"until [ -e {tmp_path}/holds ]; do :; done; flock --timeout 60 {tmp_path}/lock touch {tmp_path}/admitted"
    subprocess.run(["bash", "-c", admit], check=True)
    # At its end it holds the lock again: another process cannot take it.
    assert waiting.wait(timeout=60) == 7
