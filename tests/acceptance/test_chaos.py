"""What a site lives through: a machine that is reinstalled, etcd's data away, the control plane off.

`make chaos` runs it on the rack, which it brings up where it is not.
"""

import time
from typing import Final

import pytest

from tests.acceptance.site import (
    Clock,
    drift,
    kubectl,
    lab,
    make,
    on,
    password,
)
from tests.browser.session import login_page, open_notebook
from tests.tools import eventually

pytestmark = pytest.mark.chaos

USER: Final = "ada"
FILE: Final = "proof-of-chaos.txt"
OFF_SECONDS: Final = 600
"""Ten minutes. An answer that CoreDNS or nginx still has lasts 30 s; the hub's watch of the pods gives up after a
minute, and a user server asks the hub again about its visitor after five."""


@pytest.fixture(scope="module", autouse=True)
def site_with_a_person() -> None:
    """Bring the site up, and let a person save a file."""
    make("up")
    with open_notebook(USER, password()) as page:
        page.run(f"open('{FILE}', 'w').write('first')")
        page.run(f"print(open('{FILE}').read())")
        page.expect_output("first")


def test_worker_that_is_reinstalled_comes_back_with_one_up(clock: Clock) -> None:
    before = on("chick2", "cat /etc/machine-id")
    lab("reinstall", "chick2")
    assert on("chick2", "cat /etc/machine-id") != before
    with clock.timing("worker reinstalled → make up"):
        make("up")
    node = kubectl("get", "node", "chick2", "--output", "jsonpath={.status.nodeInfo.machineID}")
    assert node == on("chick2", "cat /etc/machine-id").strip()
    assert not any(drift().values())
    with open_notebook(USER, password()) as page:
        page.run(f"print(open('{FILE}').read())")
        page.expect_output("first")


def test_cluster_whose_data_are_away_is_not_replaced() -> None:
    authority = "cat /etc/kubernetes/pki/ca.crt /etc/kubernetes/pki/sa.pub | sha256sum"
    before = on("chick0", authority)
    on("chick0", "systemctl stop kubelet; pkill -KILL -x etcd; pkill -KILL -x kube-apiserver; true")
    on("chick0", "mv /var/lib/etcd /var/lib/etcd.saved")
    refused = make("repair", check=False)
    assert refused.returncode != 0
    for words in ("Nothing was changed", "restore in progress", "begin-again"):
        assert words in refused.stdout + refused.stderr
    assert on("chick0", authority) == before
    # Where the kubelet was started meanwhile, etcd has begun an empty cluster beside its data.
    on("chick0", "systemctl stop kubelet; pkill -KILL -x etcd; pkill -KILL -x kube-apiserver; true")
    on(
        "chick0",
        "rm --recursive --force /var/lib/etcd && mv /var/lib/etcd.saved /var/lib/etcd; systemctl start kubelet",
    )
    eventually("the API server", lambda: kubectl("get", "--raw", "/readyz"), seconds=300)
    make("repair")
    assert on("chick0", authority) == before
    assert not any(drift().values())


def test_login_page_names_and_a_notebook_work_without_the_control_plane(clock: Clock) -> None:
    pods = ("get", "pods", "--namespace", "kube-system", "--selector", "k8s-app=kube-dns")
    places = kubectl(*pods, "--output", "jsonpath={.items[*].spec.nodeName}").split()
    assert len(places) == 2
    assert "chick0" not in places
    with open_notebook(USER, password()) as page:
        lab("power", "cut", "chick0")
        with clock.timing("control plane off"):
            end = time.monotonic() + OFF_SECONDS
            while time.monotonic() < end:
                assert login_page()
                page.run("import socket; print(socket.gethostbyname('proxy-public.hub.svc.cluster.local'), 'resolved')")
                page.expect_output("resolved")
        lab("power", "on", "chick0")
    eventually("the API server", lambda: kubectl("get", "--raw", "/readyz"), seconds=600)
    eventually("a site without drift", lambda: not any(drift().values()), seconds=300)
