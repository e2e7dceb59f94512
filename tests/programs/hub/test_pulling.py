"""Images are pulled to nodes: the program that does it, with the hub's own rights, at a real API server.

There are no kubelets; a thread plays their part and says what a kubelet would say of pods and images.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError

import pytest

from components.apps.hub.images import DEFAULT_FILE, NODE_RULES, STATUS_FILE
from components.apps.hub.pulling import PULL_SECRET
from components.apps.hub.servers import SPAWNER_RULES
from components.cluster.namespaces.component import POD_SECURITY
from components.kube.pods import PURPOSE_LABEL
from programs.hub.default_image import Default, read_default, write_default
from programs.hub.image_names import canonical
from programs.hub.images.prepulling import pod_for, read_status
from stacks.settings import Site
from tests.components.apps.hub.test_component import program
from tests.components.apps.hub.test_private_images import site as private
from tests.engine.control_plane import ControlPlane, control_plane
from tests.programs.hub.asking import configured, site
from tests.tools import eventually

pytestmark = pytest.mark.programs

SERVER: Final = "quay.io/team/lab:1.0"
EXTRA: Final = "quay.io/team/extra:2.0"
CUDA: Final = "quay.io/team/cuda:3.0"
PULLS: Final = "/api/v1/namespaces/users/pods"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Provide a control plane with the site's two namespaces and the hub's account, which has the hub's rights."""
    directory = tmp_path_factory.mktemp("cluster")
    with control_plane(directory) as running:
        for name in ("hub", "users"):
            running.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": POD_SECURITY}})
        running.ask("POST", "/api/v1/namespaces/hub/serviceaccounts", {"metadata": {"name": "hub"}})
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        for kind, place, rules in (
            ("Role", f"{rbac}/namespaces/users/role", SPAWNER_RULES),
            ("ClusterRole", f"{rbac}/clusterrole", NODE_RULES),
        ):
            written = [
                {"apiGroups": rule.api_groups, "resources": rule.resources, "verbs": rule.verbs} for rule in rules
            ]
            running.ask("POST", f"{place}s", {"metadata": {"name": "hub"}, "rules": written})
            subject = {"kind": "ServiceAccount", "name": "hub", "namespace": "hub"}
            reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "hub"}
            running.ask(
                "POST", f"{place}bindings", {"metadata": {"name": "hub"}, "subjects": [subject], "roleRef": reference}
            )
        where = "/api/v1/namespaces/users/serviceaccounts/default"
        eventually("the account of pods", lambda: running.exists(where), seconds=60)
        token = running.ask("POST", "/api/v1/namespaces/hub/serviceaccounts/hub/token", {"spec": {}})
        (directory / "token").write_text(token["status"]["token"])
        yield running


class Kubelets:
    """As much of the nodes' kubelets as pulls images, or fails to."""

    def __init__(self, cluster: ControlPlane) -> None:
        self.cluster = cluster
        self.broken: set[str] = set()
        """Images that no registry has."""
        self.held = threading.Event()
        """While it is set, no pull ends."""
        self.pulled: Counter[tuple[str, str]] = Counter()
        self.most: Counter[str] = Counter()
        """The most pulls that a node had at a time."""
        self.accounts: set[str] = set()
        """Secrets that the pulls named."""
        self._images: dict[str, list[str]] = {}
        self._done: set[str] = set()
        self._end = threading.Event()

    def node(
        self,
        name: str,
        purpose: str = "user",
        images: tuple[str, ...] = (),
        labels: Mapping[str, str] | None = None,
        **spec: Any,
    ) -> None:
        """Bring a node up; the controllers then take away the taint of a node that is new."""
        labelled = {PURPOSE_LABEL: purpose, **(labels or {})}
        about = {"metadata": {"name": name, "labels": labelled}, "spec": spec}
        self.cluster.ask("POST", "/api/v1/nodes", about)
        self._images[name] = list(images)
        self.report(name)

    def report(self, name: str) -> None:
        """Say that the node is well, and which images it has."""
        images = [{"names": [image], "sizeBytes": 1} for image in self._images[name]]
        conditions = [
            {"type": "Ready", "status": "True", "reason": "KubeletReady"},
            {"type": "DiskPressure", "status": "False", "reason": "KubeletHasNoDiskPressure"},
        ]
        status = {"status": {"images": images, "conditions": conditions}}
        self.cluster.ask("PATCH", f"/api/v1/nodes/{name}/status", status, "application/merge-patch+json")

    def remove(self, name: str, image: str) -> None:
        """Remove an image, as for want of space."""
        self._images[name].remove(canonical(image))
        self.report(name)

    def run(self) -> None:
        """Play the part until `stop`."""
        while not self._end.wait(0.05):
            pods = self.cluster.ask("GET", PULLS)["items"]
            busy = Counter(pod["spec"]["nodeName"] for pod in pods)
            self.most |= busy
            self.accounts |= {each["name"] for pod in pods for each in pod["spec"].get("imagePullSecrets", ())}
            for pod in pods:
                try:
                    self._sync(pod)
                except HTTPError as error:
                    if error.code not in (404, 409):
                        raise

    def _sync(self, pod: dict[str, Any]) -> None:
        meta, name = pod["metadata"], pod["spec"]["nodeName"]
        path = f"{PULLS}/{meta['name']}"
        if meta.get("deletionTimestamp"):
            self.cluster.ask("DELETE", path, {"gracePeriodSeconds": 0})
        elif not self.held.is_set() and meta["uid"] not in self._done:
            self._done.add(meta["uid"])
            image = pod["spec"]["containers"][0]["image"]
            state, phase = self._pull(name, image)
            container = {"name": "pull", "image": image, "ready": False, "restartCount": 0, "state": state}
            container["imageID"] = "" if "waiting" in state else canonical(image)
            status = {"status": {"phase": phase, "containerStatuses": [container]}}
            self.cluster.ask("PATCH", f"{path}/status", status, "application/merge-patch+json")

    def _pull(self, node: str, image: str) -> tuple[dict[str, Any], str]:
        self.pulled[node, image] += 1
        if image in self.broken:
            return {"waiting": {"reason": "ErrImagePull", "message": f"{image}: not found"}}, "Pending"
        self._images[node].append(canonical(image))
        self.report(node)
        return {"terminated": {"exitCode": 128, "reason": "StartError"}}, "Failed"

    def stop(self) -> None:
        """End."""
        self._end.set()


@pytest.fixture
def kubelets(cluster: ControlPlane) -> Iterator[Kubelets]:
    """Provide nodes that a test brings up; they are gone afterwards."""
    playing = Kubelets(cluster)
    thread = threading.Thread(target=playing.run)
    thread.start()
    try:
        yield playing
    finally:
        for node in cluster.ask("GET", "/api/v1/nodes")["items"]:
            cluster.ask("DELETE", f"/api/v1/nodes/{node['metadata']['name']}")
        for pod in cluster.ask("GET", PULLS)["items"]:
            cluster.ask("DELETE", f"{PULLS}/{pod['metadata']['name']}", {"gracePeriodSeconds": 0})
        playing.stop()
        thread.join()


@contextmanager
def pulling(directory: Path, cluster: ControlPlane, of: Site, server: str | None = None) -> Iterator[Path]:
    """Run the program as the hub does, only faster; yield what it says."""
    if not (directory / "pull_images.py").exists():
        configured(directory, of)
    start = "import json, pathlib, sys, pull_images; pull_images.main("
    start += "json.load(open('site.json')), sys.argv[1], pathlib.Path(sys.argv[2]), 0.1)"
    log = directory / "pulls.log"
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", start, server or cluster.server, str(cluster.directory)],
            cwd=directory,
            env=dict(os.environ),
            stdout=output,
            stderr=output,
        )
    try:
        yield log
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        process.wait(20)


def with_images(*extra: str) -> Site:
    images = {
        f"extra{index}": dict(zip(("name", "tag"), each.rsplit(":", 1), strict=True))
        for index, each in enumerate(extra)
    }
    return site(server_image=SERVER, prePuller={"extraImages": images})


def has(directory: Path, node: str) -> set[str]:
    known = read_status(directory / STATUS_FILE)
    found: set[str] = known["nodes"].get(node, {}).get("has", set()) if known else set()
    return found


def test_every_node_for_people_gets_every_image(tmp_path: Path, cluster: ControlPlane, kubelets: Kubelets) -> None:
    kubelets.node("chick1", images=(EXTRA,))
    kubelets.node("chick2", purpose="any")
    kubelets.node("chick3", purpose="core")
    kubelets.node("chick4", unschedulable=True)
    with pulling(tmp_path, cluster, with_images(EXTRA)):
        eventually(
            "both have all images",
            lambda: has(tmp_path, "chick1") == has(tmp_path, "chick2") == {SERVER, EXTRA},
            seconds=60,
        )
        eventually("no pod is left", lambda: not cluster.ask("GET", PULLS)["items"], seconds=30)
    assert kubelets.pulled == {("chick1", SERVER): 1, ("chick2", SERVER): 1, ("chick2", EXTRA): 1}
    assert max(kubelets.most.values()) == 1


def test_private_images_are_pulled_with_the_accounts_of_the_settings(
    tmp_path: Path, cluster: ControlPlane, kubelets: Kubelets
) -> None:
    kubelets.node("chick1")
    with pulling(tmp_path, cluster, private("quay.io", server_image=SERVER, prePuller={})):
        eventually("the image", lambda: has(tmp_path, "chick1") == {SERVER}, seconds=60)
    assert kubelets.accounts == {PULL_SECRET}


def test_accounts_are_a_secret_that_the_cluster_takes_and_a_new_password_changes_it(cluster: ControlPlane) -> None:
    """The API server refuses a Secret of this type whose content is not what Docker keeps, and a change of some."""
    secrets, kept = "/api/v1/namespaces/users/secrets", []
    for method, path, password in (
        ("POST", secrets, "T0P-S3CRET"),
        ("PUT", f"{secrets}/{PULL_SECRET}", "N3W-S3CRET"),
    ):
        made = program(private("ghcr.io", password=password)).one("hub-pull-secret").inputs
        cluster.ask(method, path, made)
        kept.append(cluster.ask("GET", f"{secrets}/{PULL_SECRET}")["data"])
    assert kept[0] != kept[1]


GPU_LABEL: Final = "example.org/gpu"
GPU: Final[dict[str, Any]] = {
    "slug": "gpu",
    "display_name": "GPU",
    "kubespawner_override": {
        "node_selector": {GPU_LABEL: "yes"},
        "tolerations": [{"key": GPU_LABEL, "operator": "Exists"}],
    },
}
CUDA_PROFILE: Final = {**GPU, "kubespawner_override": {**GPU["kubespawner_override"], "image": CUDA}}
LAB: Final = {"slug": "lab", "display_name": "Lab", "default": True}


def with_gpu(kubelets: Kubelets, *effects: str) -> None:
    """Bring up the node gpu1, which bears servers that tolerate its taints alone."""
    taints = [{"key": GPU_LABEL, "value": "a100", "effect": effect} for effect in effects]
    kubelets.node("gpu1", labels={GPU_LABEL: "yes"}, taints=taints)


def test_node_has_the_images_of_the_servers_that_can_run_on_it(
    tmp_path: Path, cluster: ControlPlane, kubelets: Kubelets
) -> None:
    kubelets.node("chick1")
    with_gpu(kubelets, "NoSchedule")
    of = site(
        server_image=SERVER,
        profile_list=[LAB, CUDA_PROFILE],
        prePuller={"extraImages": {"extra": dict(zip(("name", "tag"), EXTRA.rsplit(":", 1), strict=True))}},
    )
    with pulling(tmp_path, cluster, of) as log:
        eventually(
            "each has what its servers use",
            lambda: (has(tmp_path, "chick1"), has(tmp_path, "gpu1")) == ({SERVER, EXTRA}, {CUDA, EXTRA}),
            seconds=60,
        )
        eventually("no pod is left", lambda: not cluster.ask("GET", PULLS)["items"], seconds=30)
    pulled = {("chick1", SERVER): 1, ("chick1", EXTRA): 1, ("gpu1", CUDA): 1, ("gpu1", EXTRA): 1}
    assert kubelets.pulled == pulled, log.read_text()


def test_pull_is_not_driven_off_a_node_that_drives_others_off(
    tmp_path: Path, cluster: ControlPlane, kubelets: Kubelets
) -> None:
    with_gpu(kubelets, "NoSchedule", "NoExecute")
    kubelets.held.set()
    with pulling(tmp_path, cluster, site(server_image=SERVER, profile_list=[LAB, CUDA_PROFILE], prePuller={})):
        eventually("the pull", lambda: cluster.ask("GET", PULLS)["items"], seconds=60)
        (pull,) = cluster.ask("GET", PULLS)["items"]
        stranger = pod_for("gpu1", SERVER, [])
        stranger["metadata"] = {"name": "stranger"}
        cluster.ask("POST", PULLS, stranger)
        # The controller that deletes pods has then seen the pull, which came before.
        eventually("its end", lambda: not cluster.exists(f"{PULLS}/stranger"), seconds=60)
        (left,) = cluster.ask("GET", PULLS)["items"]
        assert left["metadata"]["uid"] == pull["metadata"]["uid"]
        assert not left["metadata"].get("deletionTimestamp")
        kubelets.held.clear()
        eventually("the image", lambda: has(tmp_path, "gpu1") == {CUDA}, seconds=60)
    assert kubelets.pulled == {("gpu1", CUDA): 1}


def test_profile_waits_for_its_own_nodes(tmp_path: Path, cluster: ControlPlane, kubelets: Kubelets) -> None:
    def kept() -> Default:
        known = read_default(tmp_path / DEFAULT_FILE)
        assert known is not None
        return known

    kubelets.node("chick1", images=(EXTRA,))
    with_gpu(kubelets, "NoSchedule")
    write_default(tmp_path / DEFAULT_FILE, Default(SERVER, SERVER, 0))
    kubelets.held.set()
    with pulling(tmp_path, cluster, site(server_image=EXTRA, profile_list=[LAB, GPU], prePuller={})) as log:
        eventually("the profile whose nodes have it", lambda: kept().of("lab") == EXTRA, seconds=60)
        assert kept().of("gpu") == SERVER
        kubelets.held.clear()
        eventually("the other", lambda: kept().of("gpu") == EXTRA, seconds=60)
        said = log.read_text()
    # Of which alone depends on whether the other's node was ready when the first was seen.
    assert re.search(rf"servers of the profile (lab|gpu) start with {re.escape(EXTRA)}", said), said
    assert kept().images == {EXTRA}


def test_image_of_the_settings_waits_for_no_node_on_which_none_uses_it(
    tmp_path: Path, cluster: ControlPlane, kubelets: Kubelets
) -> None:
    def settled() -> bool:
        known = read_default(tmp_path / DEFAULT_FILE)
        return known is not None and known.images == {EXTRA}

    kubelets.node("chick1", images=(EXTRA,))
    with_gpu(kubelets, "NoSchedule")
    write_default(tmp_path / DEFAULT_FILE, Default(SERVER, SERVER, 0))
    kubelets.broken.add(EXTRA)
    with pulling(tmp_path, cluster, site(server_image=EXTRA, profile_list=[LAB, CUDA_PROFILE], prePuller={})):
        eventually("the new image", settled, seconds=60)
        eventually("the profile's own", lambda: has(tmp_path, "gpu1") == {CUDA}, seconds=60)
    assert kubelets.pulled == {("gpu1", CUDA): 1}


def test_image_that_no_profile_uses_is_not_pulled(tmp_path: Path, cluster: ControlPlane, kubelets: Kubelets) -> None:
    kubelets.node("chick1")
    with_gpu(kubelets, "NoSchedule")
    write_default(tmp_path / DEFAULT_FILE, Default(EXTRA, EXTRA, 0))
    with pulling(tmp_path, cluster, site(server_image=SERVER, profile_list=[CUDA_PROFILE], prePuller={})):
        eventually("the profile's own", lambda: has(tmp_path, "gpu1") == {CUDA}, seconds=60)
        eventually("no pod is left", lambda: not cluster.ask("GET", PULLS)["items"], seconds=30)
    known = read_status(tmp_path / STATUS_FILE)
    assert known
    assert set(known["nodes"]) == {"gpu1"}
    assert list(known["images"]) == [CUDA]
    default = read_default(tmp_path / DEFAULT_FILE)
    assert default
    assert default.image == SERVER, "it waits for nothing"


def test_image_that_does_not_exist_holds_up_no_other(tmp_path: Path, cluster: ControlPlane, kubelets: Kubelets) -> None:
    kubelets.broken.add(SERVER)
    kubelets.node("chick1")
    with pulling(tmp_path, cluster, with_images(EXTRA)) as log:
        eventually("the other image", lambda: has(tmp_path, "chick1") == {EXTRA}, seconds=60)
        eventually("no pod is left", lambda: not cluster.ask("GET", PULLS)["items"], seconds=30)
        said = log.read_text()
    known = read_status(tmp_path / STATUS_FILE)
    assert known
    assert known["nodes"]["chick1"]["problems"] == {SERVER: f"ErrImagePull: {SERVER}: not found"}
    assert kubelets.pulled["chick1", SERVER] == 1
    assert f"chick1: {SERVER}: ErrImagePull" in said


def test_hub_that_starts_again_resumes_where_it_was(tmp_path: Path, cluster: ControlPlane, kubelets: Kubelets) -> None:
    kubelets.held.set()
    kubelets.node("chick1")
    with pulling(tmp_path, cluster, with_images(EXTRA)):
        eventually("a pull", lambda: cluster.ask("GET", PULLS)["items"], seconds=60)
    with pulling(tmp_path, cluster, with_images(EXTRA)):
        kubelets.held.clear()
        eventually("images", lambda: has(tmp_path, "chick1") == {SERVER, EXTRA}, seconds=60)
    assert kubelets.pulled == {("chick1", SERVER): 1, ("chick1", EXTRA): 1}
    assert kubelets.most["chick1"] == 1


def test_image_that_is_removed_is_not_pulled_at_once(tmp_path: Path, cluster: ControlPlane, kubelets: Kubelets) -> None:
    kubelets.node("chick1")
    with pulling(tmp_path, cluster, with_images()):
        eventually("an image", lambda: has(tmp_path, "chick1") == {SERVER}, seconds=60)
        eventually("no pod is left", lambda: not cluster.ask("GET", PULLS)["items"], seconds=30)
        kubelets.remove("chick1", SERVER)
        eventually("no image", lambda: has(tmp_path, "chick1") == set(), seconds=60)
        kubelets.node("chick2")
        eventually("another node's image", lambda: has(tmp_path, "chick2") == {SERVER}, seconds=60)
    assert kubelets.pulled["chick1", SERVER] == 1


def test_servers_start_with_a_new_image_once_all_nodes_have_it(
    tmp_path: Path, cluster: ControlPlane, kubelets: Kubelets
) -> None:
    def kept() -> Default:
        known = read_default(tmp_path / DEFAULT_FILE)
        assert known is not None
        return known

    for node in ("chick1", "chick2"):
        kubelets.node(node, images=(SERVER,))
    write_default(tmp_path / DEFAULT_FILE, Default(SERVER, SERVER, 0))
    kubelets.held.set()
    with pulling(tmp_path, cluster, site(server_image=EXTRA, prePuller={})) as log:
        eventually("pulls", lambda: len(cluster.ask("GET", PULLS)["items"]) == 2, seconds=60)
        eventually("the wish", lambda: kept().wanted == EXTRA, seconds=60)
        assert kept().image == SERVER
        kubelets.held.clear()
        eventually("the new image", lambda: kept().image == EXTRA, seconds=60)
        assert f"servers start with {EXTRA}" in log.read_text()
    assert all(EXTRA in has(tmp_path, node) for node in ("chick1", "chick2"))


def test_api_server_that_is_away_is_waited_for(tmp_path: Path, cluster: ControlPlane, kubelets: Kubelets) -> None:
    with pulling(tmp_path, cluster, with_images(), "https://127.0.0.1:1") as log:
        eventually("a reason", lambda: "Connection refused" in log.read_text(), seconds=30)
    assert len(log.read_text().splitlines()) == 1
    assert not (tmp_path / STATUS_FILE).exists()


def test_hub_sees_nodes_and_changes_none(cluster: ControlPlane, kubelets: Kubelets) -> None:
    kubelets.node("chick1")
    review = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    for verb, resource, namespace, allowed in (
        ("list", "nodes", "", True),
        ("patch", "nodes", "", False),
        ("create", "pods", "users", True),
        ("create", "pods", "hub", False),
        ("list", "secrets", "users", False),
    ):
        attributes = {"verb": verb, "resource": resource, **({"namespace": namespace} if namespace else {})}
        spec = {"user": "system:serviceaccount:hub:hub", "resourceAttributes": attributes}
        answer = cluster.ask("POST", review, {"spec": spec})
        assert answer["status"]["allowed"] is allowed, json.dumps(attributes)
