"""The bench of the hub: what it plans and how it counts; and a small run, in which everything real is real."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.apps.hub.addresses import PROXY_API_PORT, PROXY_PORT, hub_url
from components.apps.hub.proxy import proxy_pod
from lab.versions import LAB
from tests.bench.hub import usage
from tests.bench.hub.cluster import NodeShape, node, objects
from tests.bench.hub.measure import Phase, times
from tests.bench.hub.people import Failure, Records, chosen, xsrf
from tests.bench.hub.plan import arrivals, nodes_for, percentile
from tests.bench.hub.programs import KWOK
from tests.bench.hub.report import busiest, wanted_processors
from tests.bench.hub.site import proxy_command
from tests.bench.hub.usage import Spent, Usage, program_of, spent
from tests.programs.hub.asking import site
from tests.stacks.sites import ROOT


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [([5.0], 50, 5.0), ([5.0], 95, 5.0), ([3, 1, 2, 4], 50, 2), ([3, 1, 2, 4], 51, 3), (range(1, 101), 95, 95)],
)
def test_percentile_is_a_value_that_was_measured(values: Any, percent: float, found: float) -> None:
    assert percentile(list(values), percent) == found


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_percentile_of_nothing_is_refused(values: list[float], percent: float) -> None:
    with pytest.raises(ValueError, match="percent"):
        percentile(values, percent)


def test_everyone_comes_in_time_and_the_same_way_each_time() -> None:
    plan = arrivals(200, 60, first=100)
    assert [each.name for each in plan] == [f"person{number:04}" for number in range(100, 300)]
    assert plan[0].after == 0
    assert [each.after for each in plan] == sorted(each.after for each in plan)
    assert 0 < plan[-1].after <= 60
    assert sum(each.rude for each in plan) == 40
    assert plan == arrivals(200, 60, first=100)


def test_a_node_is_to_spare() -> None:
    assert [nodes_for(people, 110) for people in (1, 110, 111, 1000)] == [2, 2, 3, 11]


def test_line_of_a_process_with_any_name_is_read() -> None:
    fields = ["S", "1", *["0"] * 9, "300", "50", *["0"] * 8, "7", "0"]
    found = usage.parsed(f"12 (a) b (c) {' '.join(fields)}", "3500000000 1500000000 12\n")
    assert found == Usage(350 / usage.TICKS, 7 * usage.PAGE, 1.5)


def test_processor_time_of_this_process_is_seen() -> None:
    def measured() -> Usage:
        return usage.parsed(*(Path(f"/proc/self/{name}").read_text() for name in ("stat", "schedstat")))

    before = measured()
    sum(number * number for number in range(3_000_000))
    after = measured()
    assert after.waited >= before.waited
    assert after.seconds > before.seconds
    assert after.memory > 2**20


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python -m jupyterhub --config=x", "hub"),
        ("python /etc/jupyterhub/culler.py --url=x", "culler"),
        ("/x/kube-apiserver --etcd-servers=http://127.0.0.1:1", "API server"),
        ("/x/go-etcd-1/etcd --data-dir=etcd", "etcd"),
        ("/x/go-kwok-1/kwok --kubeconfig=x", "nodes (kwok)"),
        ("python -m tests.bench.hub.servers x", "servers (simulated)"),
        ("python -m tests.bench.hub --inside", "people (simulated)"),
        ("python -m tests.bench.hub", "people (simulated)"),
        ("sleep 1", None),
    ],
)
def test_program_is_known_by_its_command_line(command: str, name: str | None) -> None:
    assert program_of(command) == name


def test_what_is_spent_is_between_the_samples() -> None:
    samples = [{"hub": Usage(10, 100, 1)}, {"hub": Usage(12, 300, 2)}, {"hub": Usage(14, 200, 7), "proxy": Usage(1, 5)}]
    assert spent(samples, 8) == (Spent("hub", 0.5, 4, 300, 6), Spent("proxy", 0.125, 1, 5, 0))


def test_busiest_is_a_program_that_a_site_has() -> None:
    used = (Spent("people (simulated)", 2, 20, 1, 0), Spent("hub", 0.6, 6, 1, 3), Spent("proxy", 0.1, 1, 1, 0))
    phase = Phase("", 10, {}, {}, [], used)
    assert busiest(phase) == used[1]
    assert wanted_processors(used[1], phase) == 0.9


def test_form_is_sent_as_it_is_shown() -> None:
    page = """<input class="x" type="radio" id="a" name="size" value="a&amp;b" checked>
    <input type="radio" name="size" value="c"> <input type="radio" name="profile" value="d" checked>"""
    assert chosen(page) == {"size": "a&b", "profile": "d"}
    assert xsrf('window.jhdata = { xsrf_token: "t|1", }') == "t|1"
    with pytest.raises(Failure, match="without a token"):
        xsrf("<html>")


def test_times_of_what_never_happened_are_not_reported() -> None:
    assert times(Records({"login": [1.0, 2.0], "spawn": []})).keys() == {"login"}


def test_kwok_is_the_pinned_one() -> None:
    required = (KWOK.directory / "go.mod").read_text()
    assert f"sigs.k8s.io/kwok v{LAB['kwok']}\n" in required or f"sigs.k8s.io/kwok v{LAB['kwok']} //" in required


def test_proxy_is_started_as_on_a_site() -> None:
    container, _ = proxy_pod(site().hub, hub_url=hub_url("hub"), token="t").containers
    own = [each for each in container.command if isinstance(each, str) and "target" not in each]
    assert own == [each for each in proxy_command() if "target" not in each]
    assert {f"--port={PROXY_PORT}", f"--api-port={PROXY_API_PORT}"} < set(own)


def test_nodes_are_for_people_and_hold_what_a_kubelet_does() -> None:
    made = node(3, NodeShape())
    assert made["metadata"]["labels"]["hub.jupyter.org/node-purpose"] == "user"
    assert made["status"]["allocatable"]["pods"] == "110"
    assert {path.rpartition("/")[2] for path, _ in objects()} >= {"namespaces", "serviceaccounts", "roles"}


@pytest.mark.programs
@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces take root")
def test_five_people_get_their_servers_and_one_logs_in_again(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.bench.hub", "--people=5", "--running=6", "--within=2", "--steady=12"]
    done = subprocess.run(
        [*command, "--json", f"--keep={tmp_path}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    phases = {each["name"]: each for each in json.loads(done.stdout)["phases"]}
    come, more, stay, storm = phases.values()
    assert not [failure for each in phases.values() for failure in each["failures"]]
    assert (come["counts"]["servers"], more["counts"]["servers"]) == (5, 1)
    assert come["times"]["all, login to notebook"]["count"] == 5
    assert stay["times"]["websocket, there and back"]["count"] >= 6
    assert storm["times"]["log in again"]["count"] == 2
    used = {each["program"]: each for each in come["spent"]}
    assert all(used[name]["seconds"] > 0 for name in ("hub", "proxy", "API server", "etcd", "scheduler"))
