"""The hub's configuration, read by the JupyterHub that will read it."""

import json
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest

from components.apps.hub.pulling import PULL_SECRET
from programs.hub.identity import group_file, passwd_file
from stacks.load import parse_settings
from stacks.versions import SITE
from tests.programs.hub.asking import SECRETS, ask, site
from tests.programs.hub.provisioner import Provisioner
from tests.stacks.sites import changed, tree
from tests.test_pods import broken

pytestmark = pytest.mark.programs

NAMES: Final = ("ada", "a.b-c_d", "x" * 63, "Ada", "../etc", "a/b", ".ssh", "1st", "x" * 64, "ada\nroot", "ada\n", "")


@pytest.fixture(scope="module", params=["native", "dummy"])
def said(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what JupyterHub makes of a site with this login."""
    settings = site(login=request.param, administrators=["zoe", "ada"], cull_idle_seconds=7200)
    directory = tmp_path_factory.mktemp("hub")
    return {**ask(directory, "settings", *NAMES, of=settings), "login": request.param}


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the pod that KubeSpawner asks for."""
    settings = site(size={"cpu_guarantee": 0.25, "cpu_limit": 3, "mem_guarantee": "256Mi", "mem_limit": "3Gi"})
    return ask(tmp_path_factory.mktemp("hub"), "pod", "ada.l", of=settings)


def home(directory: Path, name: str, provisioner: Provisioner, *state: str, **changes: str) -> Any:
    """Return what the hook before a start does for a person, with the `state` that was kept at the login."""
    secrets = {**SECRETS, **provisioner.secrets, **changes}
    return ask(directory, "home", name, *state, of=site(), provisioner=provisioner.url, secrets=secrets)


def test_login_is_the_one_of_the_settings(said: Any) -> None:
    classes = {"native": "Accounts", "dummy": "SharedPassword"}
    assert said["authenticator"] == classes[said["login"]]
    assert said["administrators"] == ["ada", "zoe"]
    assert said["lets_everybody_in"] is True, "who knows a password"


def test_names_that_cannot_be_directories_are_refused(said: Any) -> None:
    assert said["valid_names"] == ["ada", "a.b-c_d", "x" * 63]


def test_people_keep_their_servers_when_the_hub_restarts(said: Any) -> None:
    assert said["cleanup_servers"] is False
    assert said["db_url"].startswith("sqlite:////")
    assert said["db_url"].endswith("/jupyterhub.sqlite")


def test_server_whose_route_the_proxy_lost_is_waited_for_until_the_hub_gives_it_back(tmp_path: Path) -> None:
    found = ask(tmp_path, "redirected", of=site())
    assert found["seconds"] > found["given_back_every"]
    assert 2 * found["times"] < 20, "redirections that a browser follows"


def test_hub_starts_as_many_servers_as_it_stands(said: Any, tmp_path: Path) -> None:
    assert said["limits"] == [64, 0, 0], "0 means without a limit"
    few = site(concurrentSpawnLimit=3, activeServerLimit=20, consecutiveFailureLimit=5)
    assert ask(tmp_path, "settings", of=few)["limits"] == [3, 20, 5]


def test_hub_short_of_a_processor_is_not_taken_for_a_cluster_or_a_proxy_that_is_away(said: Any) -> None:
    assert said["kubernetes_seconds"] == [30, 270]
    assert said["proxy"] == "PatientProxy"


def test_crypt_keys_are_read_newest_first(said: Any) -> None:
    assert said["crypt_keys"] == ["cd" * 32, "ef" * 32]


def test_services_may_do_their_work_and_no_more(said: Any) -> None:
    services = {each["name"]: each for each in said["services"]}
    scopes = {role["name"]: set(role["scopes"]) for role in said["roles"]}
    assert services["idle-culler"]["command"][1].endswith("/culler.py")
    assert services["prometheus"]["api_token"] == SECRETS["metrics-token"]
    assert scopes["prometheus"] == {"read:metrics"}
    assert scopes["idle-culler"] == {"list:users", "read:users:activity", "read:servers", "delete:servers"}


def test_pod_is_valid_and_restricted(pod: Any) -> None:
    minor = ".".join(SITE["kubernetes"].split(".")[:2])
    kubernetes_validate.validate({"apiVersion": "v1", "kind": "Pod", **pod}, minor, strict=True)
    (container,) = pod["spec"]["containers"]
    security = container["securityContext"]
    assert security["runAsUser"] == security["runAsGroup"] == 100001
    assert security["runAsNonRoot"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert broken(pod["spec"]) == [], "the API server would refuse it"
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["enableServiceLinks"] is False


def test_pod_has_no_home_that_was_not_asked_for(pod: Any) -> None:
    (container,) = pod["spec"]["containers"]
    volume, _ = pod["spec"]["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == "homes"
    assert {each["mountPath"] for each in container["volumeMounts"]} == {"/etc/passwd", "/etc/group"}
    assert "fsGroup" not in pod["spec"].get("securityContext", {}), "the kubelet would walk through the whole home"


def test_pod_has_the_size_of_the_settings_on_a_node_for_people(pod: Any) -> None:
    resources = pod["spec"]["containers"][0]["resources"]
    assert {key: float(value) for key, value in resources["requests"].items()} == {"cpu": 0.25, "memory": 256 * 2**20}
    assert {key: float(value) for key, value in resources["limits"].items()} == {"cpu": 3, "memory": 3 * 2**30}
    affinity = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    (expression,) = affinity["nodeSelectorTerms"][0]["matchExpressions"]
    assert expression == {"key": "hub.jupyter.org/node-purpose", "operator": "In", "values": ["user", "any"]}


@pytest.mark.parametrize("menu", [None, {"repository": "quay.io/team/lab"}], ids=["no menu", "a menu"])
def test_private_image_is_pulled_with_the_account_of_the_settings(
    tmp_path: Path, pod: Any, menu: dict[str, str] | None
) -> None:
    account = {"username": "grace", "password": "T0P-S3CRET"}
    hub = {"server_image": "ghcr.io/team/lab:1", "imagePullSecrets": {"ghcr.io": account}, "image_menu": menu}
    of = parse_settings(changed(tree("dev"), {"mirrors": {"registry": None}, "hub": hub}))
    made = ask(tmp_path, "pod", "ada.l", of=of)
    assert made["spec"]["imagePullSecrets"] == [{"name": PULL_SECRET}]
    assert not pod["spec"]["imagePullSecrets"], "there are no accounts"


def test_server_runs_as_the_owner_of_its_home(tmp_path: Path, provisioner: Provisioner) -> None:
    made = home(tmp_path, "ada.l", provisioner)
    assert (made["uid"], made["gid"], made["fs_gid"]) == (100007, 100007, None)
    assert made["passwd"].startswith("ada.l:x:100007:100007::/home/jovyan:/bin/bash\n")
    assert made["group"].startswith("ada.l:x:100007:\nusers:x:100:ada.l\n")
    assert made["mounts"] == [{"name": "home", "mountPath": "/home/jovyan", "subPath": "home-of-ada.l"}]
    assert provisioner.asked == ["POST /homes/ada.l"] * 2


def test_home_is_asked_for_by_the_account_and_shared_with_its_organizations(
    tmp_path: Path, provisioner: Provisioner
) -> None:
    known = {"confirmed": 0, "account": "https://github.com/ 7", "uid": 536870919}
    groups = {"flock": 1073742825, "staff": 1073742826, "ada.l": 1073742827}
    made = home(tmp_path, "ada.l", provisioner, json.dumps({"henhouse": {**known, "groups": groups}}))
    asked = json.dumps({"account": "https://github.com/ 7", "uid": 536870919})
    assert provisioner.asked == [f"POST /homes/ada.l {asked}"] * 2
    assert made["uid"] == 100007, "the owner of the home"
    assert made["groups"] == [100, 1073742825, 1073742826, 1073742827]
    lines = made["group"].splitlines()
    assert lines[:3] == ["ada.l:x:100007:", "users:x:100:ada.l", "flock:x:1073742825:ada.l"]
    assert lines[3:5] == ["staff_:x:1073742826:ada.l", "ada.l_:x:1073742827:ada.l"], "the system's names stay its own"
    assert "staff:x:50:" in lines


@pytest.mark.parametrize(
    ("name", "what", "reason", "again"),
    [
        ("roomless", "could not be made", "the file server answered with status 503", True),
        ("full", "could not be made", "No space left on device", True),
        ("moved", "cannot be used", "moved belongs to 1000, and ids of people begin at 100000", False),
        ("strange", "cannot be used", "the file server answered with status 409", False),
    ],
)
def test_person_is_told_why_the_home_cannot_be_used(
    tmp_path: Path, provisioner: Provisioner, name: str, what: str, reason: str, again: bool
) -> None:
    told = home(tmp_path, name, provisioner)["told"]
    assert f"Your home directory {what}" in told
    assert reason in told
    assert ("try again in a minute" in told) == again
    assert ("Trying again does not help" in told) != again


def test_file_server_that_is_away_is_told_too(tmp_path: Path, provisioner: Provisioner) -> None:
    told = ask(tmp_path, "home", "ada", of=site(), secrets={**SECRETS, **provisioner.secrets})["told"]
    assert "Your home directory could not be reached" in told
    assert "try again in a minute" in told


def test_file_server_that_comes_back_is_waited_for(tmp_path: Path, provisioner: Provisioner) -> None:
    """After a power cut the login page is there before the file server."""
    provisioner.cut_off = 1
    made = home(tmp_path, "ada.l", provisioner)
    assert made["uid"] == 100007
    (told,) = made["awaited"]
    assert "does not answer yet" in told
    assert "Your files are safe" in told


def test_person_has_a_name_in_the_pod(pod: Any) -> None:
    """A number without a line in passwd has no name: whoami, ssh and getpass fail."""
    (container,) = pod["spec"]["containers"]
    environment = {each["name"]: each.get("value") for each in container["env"]}
    assert environment["USER"] == environment["LOGNAME"] == "ada.l"
    (identity,) = [each for each in pod["spec"]["volumes"] if each["name"] == "identity"]
    fields = {each["path"]: each["fieldRef"]["fieldPath"] for each in identity["downwardAPI"]["items"]}
    assert fields == {name: f"metadata.annotations['henhouse.internal/{name}']" for name in ("passwd", "group")}
    assert pod["spec"]["securityContext"]["supplementalGroups"] == [100]


@pytest.mark.parametrize("user", ["ada", "mail", "root", "users", "nobody"])
def test_no_name_and_no_id_is_there_twice(user: str) -> None:
    for text in (passwd_file(user, 100007, 100007, "/home/jovyan"), group_file(user, 100007)):
        lines = [line.split(":") for line in text.splitlines()]
        assert lines[0][0] == user
        assert lines[0][2] == "100007"
        for column in (0, 2):
            assert len({line[column] for line in lines}) == len(lines)


@pytest.mark.parametrize(("user", "uid"), [("ada", 100007), ("ada", 1000), ("jovyan", 100007), ("root", 100007)])
def test_image_finds_its_own_user(user: str, uid: int) -> None:
    """start.sh of Jupyter's images ends without it: https://github.com/jupyter/docker-stacks/issues/1657"""
    lines = [line.split(":") for line in passwd_file(user, uid, uid, "/home/jovyan").splitlines()]
    assert "jovyan" in [line[0] for line in lines]
    assert next(line[0] for line in lines if line[2] == str(uid)) == user, "whoami"
    assert len({line[0] for line in lines}) == len(lines)


def test_a_stranger_is_not_taken_for_the_provisioner(tmp_path: Path, provisioner: Provisioner) -> None:
    told = home(tmp_path, "ada", provisioner, **{"homes-ca.crt": provisioner.another_authority})["told"]
    assert "could not be reached" in told
    assert provisioner.asked == []
