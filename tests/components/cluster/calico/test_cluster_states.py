"""What becomes of a cluster's authority and data, in each state in which a control plane may be found."""

from collections.abc import Callable
from pathlib import Path

import pytest

from components.cluster.calico import roles
from stacks.settings import Site
from tests.components.cluster.calico.machine import DATA, ETC, MachineOfFiles

AUTHORITY = f"{ETC}/pki/ca.crt"
MARKS = f"{ETC}/henhouse"


@pytest.fixture
def machine(tmp_path: Path, site: Site) -> MachineOfFiles:
    return MachineOfFiles(tmp_path, roles.control_plane_role(site), "cluster")


@pytest.fixture
def made(machine: MachineOfFiles) -> MachineOfFiles:
    """Provide a machine that has made its cluster, as the first `up` leaves it."""
    assert machine.apply().status == 0
    assert machine.marks() == {"made"}
    return machine


def refused(machine: MachineOfFiles, *words: str, known: bool = True) -> str:
    """Nothing is destroyed, nothing made; the sentence says what was found, what it looks like and what to type."""
    before, did = files(machine), machine.did()
    assert machine.check().status == 1
    answer = machine.apply(known=known)
    assert answer.status == 1
    assert machine.did() == did
    assert files(machine) == before
    for word in ("restore in progress", "not mounted", "Found: ", "kubeadm reset --force && touch", *words):
        assert word in answer.printed, answer.printed
    return answer.printed


def files(machine: MachineOfFiles) -> dict[str, str]:
    found = [each for top in (ETC, DATA) for each in machine.path(top).rglob("*") if each.is_file()]
    return {str(each): each.read_text() for each in found}


def test_new_machine_makes_a_cluster_and_marks_it(machine: MachineOfFiles) -> None:
    assert machine.check().status == 1
    assert machine.apply().status == 0
    assert machine.did() == ["init"]
    assert machine.marks() == {"made"}
    assert machine.check().status == 0


def test_running_cluster_of_an_earlier_release_gets_its_mark_and_nothing_else(made: MachineOfFiles) -> None:
    made.path(f"{MARKS}/made").unlink()
    before = files(made)
    assert "not marked" in made.check().printed
    assert made.apply(known=True).status == 0
    assert made.did() == ["init"]
    assert {path: text for path, text in files(made).items() if not path.endswith("/made")} == before
    assert made.path(f"{MARKS}/made").read_text().split()[0] == made.path(f"{DATA}/member/uid").read_text().strip()
    assert made.check().status == 0


@pytest.mark.parametrize("fails_at", ["start", "certs", "etcd"])
def test_our_own_attempt_that_was_cut_short_is_taken_up(machine: MachineOfFiles, fails_at: str) -> None:
    assert machine.apply(fails_at=fails_at).status != 0
    assert machine.marks() == {"begun"}
    assert machine.check().status == 1
    assert machine.apply().status == 0
    # Data are kept; without data the half written authority goes.
    assert machine.did() == (["init", "init"] if fails_at == "etcd" else ["init", "reset", "init"])
    assert machine.marks() == {"made"}


def test_killed_between_the_last_phase_and_the_mark(made: MachineOfFiles) -> None:
    made.path(f"{MARKS}/made").unlink()
    made.write(f"{MARKS}/begun")
    assert made.check().status == 1
    assert made.apply().status == 0
    assert made.did() == ["init"]
    assert made.marks() == {"made"}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("marked", [True, False])
def test_etcd_moved_away_is_refused(made: MachineOfFiles, known: bool, marked: bool) -> None:
    made.path(DATA).rename(made.path("/var/lib/etcd.saved"))
    made.path("/answers").unlink()
    if not marked:
        made.path(f"{MARKS}/made").unlink()
    refused(made, AUTHORITY.rpartition("/")[0], known=known)


def test_etcd_saved_inside_its_own_directory_is_refused(made: MachineOfFiles) -> None:
    made.path(f"{DATA}/member").rename(made.path(f"{DATA}/member.saved"))
    made.write(f"{DATA}/member.saved/wal")
    made.path("/answers").unlink()
    refused(made, "no data of etcd's")


@pytest.mark.parametrize("lost", ["ca.crt", "ca.key", "sa.key", "etcd/ca.key"])
def test_data_without_the_authority_are_refused(made: MachineOfFiles, lost: str) -> None:
    made.path(f"{ETC}/pki/{lost}").unlink()
    made.path("/answers").unlink()
    refused(made, "not whole")


def test_half_made_by_us_but_with_files_of_another_is_refused(machine: MachineOfFiles) -> None:
    machine.apply(fails_at="certs")
    machine.write(f"{DATA}/snapshot.db")
    refused(machine, known=False)


def test_disk_that_is_not_mounted_is_refused_even_on_a_new_machine(machine: MachineOfFiles) -> None:
    machine.write("/etcd-mount", "loaded")
    answer = machine.apply()
    assert answer.status == 1
    assert "to be mounted" in answer.printed
    assert machine.did() == []


@pytest.mark.parametrize(
    "lose",
    [
        lambda machine: machine.path(MARKS).rename(machine.path("/gone")),
        lambda machine: None,
    ],
    ids=["reinstalled", "reset by hand"],
)
def test_control_plane_without_a_trace_makes_no_second_cluster(
    made: MachineOfFiles, lose: Callable[[MachineOfFiles], object]
) -> None:
    made.path(f"{ETC}/pki").rename(made.path("/pki"))
    made.path(DATA).rename(made.path("/data"))
    made.path("/answers").unlink()
    lose(made)
    made.path(MARKS).mkdir(exist_ok=True)
    refused(made, "made the site's cluster before")
    made.write(f"{MARKS}/begin-again")
    assert made.apply(known=True).status == 0
    assert made.did() == ["init", "init"]
    assert made.marks() == {"made"}


def test_beginning_again_resumes_after_it_was_cut_short(made: MachineOfFiles) -> None:
    made.path(f"{ETC}/pki").rename(made.path("/pki"))
    made.path(DATA).rename(made.path("/data"))
    made.path("/answers").unlink()
    made.write(f"{MARKS}/begin-again")
    assert made.apply(known=True, fails_at="certs").status != 0
    assert made.apply(known=True).status == 0
    assert made.did() == ["init", "init", "reset", "init"]
    assert made.marks() == {"made"}


def test_word_to_begin_again_does_not_outweigh_an_authority(made: MachineOfFiles) -> None:
    made.path(DATA).rename(made.path("/data"))
    made.path("/answers").unlink()
    made.write(f"{MARKS}/begin-again")
    refused(made)


def test_restored_cluster_is_taken_as_it_is(made: MachineOfFiles) -> None:
    before = files(made)
    made.path(DATA).rename(made.path("/data"))
    made.path("/answers").rename(made.path("/away"))
    refused(made)
    made.path("/data").rename(made.path(DATA))
    made.path("/away").rename(made.path("/answers"))
    assert made.apply(known=True).status == 0
    assert made.did() == ["init"]
    assert files(made)[str(made.path(AUTHORITY))] == before[str(made.path(AUTHORITY))]


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("marked", [True, False])
def test_etcd_that_began_an_empty_cluster_is_refused(made: MachineOfFiles, answers: bool, marked: bool) -> None:
    """A kubelet that starts while the disk is not mounted makes the directory, and etcd an empty cluster in it."""
    made.path(DATA).rename(made.path("/data"))
    made.write(f"{DATA}/member/uid", "another")
    if not answers:
        made.path("/answers").unlink()
    if not marked:
        made.path(f"{MARKS}/made").unlink()
    before = files(made)
    assert made.check().status == 1
    refusal = made.apply(known=True)
    assert refusal.status == 1
    assert "etcd has started with no data" in refusal.printed
    assert files(made) == before
    made.path(DATA).rename(made.path("/empty"))
    made.path("/data").rename(made.path(DATA))
    assert made.apply(known=True).status == 0
    assert made.check().status == 0


def test_another_cluster_that_was_made_by_hand_is_refused(made: MachineOfFiles) -> None:
    made.write(f"{DATA}/member/uid", "another")
    assert "another cluster" in made.check().printed
    refused(made, "Another cluster runs here")
    made.write(f"{MARKS}/begin-again")
    assert made.apply(known=True).status == 0
    assert made.marks() == {"made"}
    assert made.check().status == 0


def test_what_is_missing_of_a_living_cluster_is_put_back(made: MachineOfFiles) -> None:
    """An add-on that was deleted, a manifest that is gone: the phases of kubeadm run again."""
    authority = made.path(AUTHORITY).read_text()
    made.path("/answers").unlink()
    assert made.apply(known=True).status == 0
    assert made.did() == ["init", "init"]
    assert made.path(AUTHORITY).read_text() == authority
    made.path(f"{DATA}/member/objects").unlink()
    assert made.apply(known=True).status == 0
    assert made.did() == ["init", "init", "init"]
    assert made.check().status == 0
