"""What the baseline says of machines, by their settings."""

import tomllib

import pytest

from components.contracts.cluster import Membership
from components.machines.node import baseline
from components.machines.roles import base, kubernetes, sources, time
from converge.items import File, Package, Script, Unit
from converge.role import Role
from stacks.load import parse_settings
from stacks.settings import AptRepositorySettings, MirrorsSettings
from stacks.versions import SITE
from tests.converge.scripts import site
from tests.stacks.sites import changed, tree


def role(name: str, machine: str, stack: str = "dev") -> Role:
    """Return a machine's role by name."""
    return next(
        each for each in baseline(machine, site(stack), Membership.of(site(stack).cluster)) if each.name == name
    )


def content(role: Role, path: str) -> str:
    """Content of a role's file."""
    (found,) = (item.content for item in role.items if isinstance(item, File) and item.path == path)
    assert found is not None
    return found


def test_only_nodes_of_the_cluster_get_what_kubeadm_expects() -> None:
    only = {"swap-off", "kernel", "container-runtime", "kubernetes"}
    for machine in site("dev").hosts:
        found = only & {each.name for each in baseline(machine, site("dev"), Membership.of(site("dev").cluster))}
        assert found == (only if machine.startswith("chick") else set())


def test_every_machine_knows_every_other_and_the_api_server() -> None:
    lines = base.hosts(site("dev"), "api.flock.internal").splitlines()
    assert lines[0] == "198.18.0.2 rooster.henhouse.localhost rooster"
    assert lines[1] == "198.18.0.100 chick0.henhouse.localhost chick0 api.flock.internal"
    assert len(lines) == len(site("dev").hosts)


def test_gateway_serves_the_time_that_the_world_gives_it() -> None:
    lines = time.chrony_conf("rooster", site("dev")).splitlines()
    assert lines[:3] == ["server 198.18.0.1 iburst", "allow 198.18.0.0/19", "local stratum 10 orphan"]


def test_other_machines_ask_the_gateway_alone() -> None:
    lines = time.chrony_conf("hen", site("dev")).splitlines()
    assert [line for line in lines if line.startswith("server")] == ["server 198.18.0.2 iburst maxpoll 6"]
    assert "port 0" in lines


def test_exporter_answers_on_the_machines_own_address() -> None:
    assert "--web.listen-address=198.18.0.200:9100 " in content(
        role("exporter", "hen"), "/etc/default/prometheus-node-exporter"
    )


@pytest.mark.parametrize("program", ["kubelet", "kubeadm", "kubectl", "containerd.io"])
def test_programs_of_the_cluster_are_held_at_the_sites_version(program: str) -> None:
    items = [*role("kubernetes", "chick1").items, *role("container-runtime", "chick1").items]
    (package,) = (item for item in items if isinstance(item, Package) and item.name == program)
    version = SITE["containerd" if program == "containerd.io" else "kubernetes"]
    assert (package.version, package.held) == (f"{version}-*", True)


@pytest.mark.parametrize(("machine", "wanted"), [("chick0", False), ("chick1", False), ("chick2", True)])
def test_only_workers_that_take_people_mount_homes(machine: str, wanted: bool) -> None:
    assert (Package("nfs-common") in role("kubernetes", machine).items) is wanted
    assert (Unit("rpcbind.socket", masked=True) in role("kubernetes", machine).items) is wanted


@pytest.mark.parametrize(("machine", "v2"), [("chick1", False), ("chick2", True)])
def test_containerd_follows_the_machines_control_groups(machine: str, v2: bool) -> None:
    config = tomllib.loads(kubernetes.containerd_config(site("dev").hosts[machine]))
    runtime = config["plugins"]["io.containerd.cri.v1.runtime"]
    assert runtime["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is v2
    assert runtime["restrict_oom_score_adj"] is not v2


def test_images_come_from_the_sites_registry_and_nowhere_else() -> None:
    runtime = role("container-runtime", "chick1")
    for upstream in ("registry.k8s.io", "quay.io", "docker.io"):
        hosts = tomllib.loads(content(runtime, f"/etc/containerd/certs.d/{upstream}/hosts.toml"))
        assert hosts["server"] == f"http://198.18.0.1:5000/v2/{upstream}"
        assert hosts["override_path"] is True


def test_without_a_registry_images_come_from_upstream() -> None:
    bare = parse_settings(changed(tree("dev"), {"mirrors": {"registry": None}}))
    runtime = kubernetes.container_runtime(bare.hosts["chick1"], bare)
    assert [item.path for item in runtime.items if isinstance(item, File)] == ["/etc/containerd/config.toml"]


def test_source_is_written_in_todays_format() -> None:
    files = [item for item in sources.package_sources(site("dev").mirrors).items if isinstance(item, File)]
    debian = next(file for file in files if file.path == "/etc/apt/sources.list.d/debian.sources")
    assert debian.content is not None
    assert debian.content.splitlines() == [
        "Types: deb",
        "URIs: http://198.18.0.1/debian",
        "Suites: trixie",
        f"Components: {' '.join(site('dev').mirrors.apt['debian'].components)}",
        "Signed-By: /usr/share/keyrings/site-mirror.gpg",
    ]


def test_key_in_the_settings_becomes_a_file() -> None:
    key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc\n-----END PGP PUBLIC KEY BLOCK-----"
    flat = AptRepositorySettings.model_validate({"url": "https://apt.example.org/", "suite": "./", "signed_by": key})
    keyring, source, *_ = sources.package_sources(MirrorsSettings(apt={"flat": flat})).items
    assert keyring == File("/etc/apt/keyrings/flat.asc", key + "\n")
    assert isinstance(source, File)
    assert source.content is not None
    assert "Signed-By: /etc/apt/keyrings/flat.asc\n" in source.content
    assert "Components" not in source.content


def test_lists_are_fetched_again_when_a_source_changes() -> None:
    *_, lists = sources.package_sources(site("dev").mirrors).items
    assert isinstance(lists, Script)
    for name in site("dev").mirrors.apt:
        assert f"/etc/apt/sources.list.d/{name}.sources -nt" in lists.check
