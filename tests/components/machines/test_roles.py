"""What the baseline says of machines, by their settings."""

import subprocess
import tempfile
import tomllib
from pathlib import Path

import pytest

from components.contracts.cluster import Membership
from components.machines.node import baseline
from components.machines.roles import base, kubernetes, sources, time
from converge.items import Absent, File, Item, Package, PackageLists, Script, Unit
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


def test_machine_knows_itself_and_the_api_server() -> None:
    assert base.hosts("hen", site("dev"), "api.flock.internal").splitlines() == [
        "198.18.0.100 api.flock.internal",
        "198.18.0.200 hen.flock.internal hen",
    ]
    assert base.hosts("chick0", site("dev"), "api.flock.internal").splitlines() == [
        "198.18.0.100 chick0.flock.internal chick0 api.flock.internal",
    ]


def test_without_a_name_server_every_machine_knows_every_other() -> None:
    alone = parse_settings(changed(tree("dev"), {"network": {"dns": None}}))
    lines = base.hosts("hen", alone, "api.flock.internal").splitlines()
    assert lines[0] == "198.18.0.2 rooster.henhouse.localhost rooster"
    assert lines[1] == "198.18.0.100 chick0.henhouse.localhost chick0 api.flock.internal"
    assert len(lines) == len(alone.hosts)


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
    files = [item for item in sources.package_sources(site("dev").mirrors, "1.36.3").items if isinstance(item, File)]
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
    keyring, source = (
        item
        for item in sources.package_sources(MirrorsSettings(apt={"flat": flat}), "1.36.3").items
        if isinstance(item, File)
    )
    assert keyring == File("/etc/apt/keyrings/flat.asc", key + "\n")
    assert isinstance(source, File)
    assert source.content is not None
    assert "Signed-By: /etc/apt/keyrings/flat.asc\n" in source.content
    assert "Components" not in source.content


def test_lists_are_fetched_again_when_a_source_changes() -> None:
    *_, lists = sources.package_sources(site("dev").mirrors, "1.36.3").items
    assert lists == PackageLists(tuple(f"/etc/apt/sources.list.d/{name}.sources" for name in site("dev").mirrors.apt))


def test_source_that_may_expire_says_so() -> None:
    repository = {"url": "http://198.18.0.1/debian", "suite": "trixie", "components": ["main"]}
    strict, lax = (
        AptRepositorySettings.model_validate({**repository, "check_valid_until": value}) for value in (True, False)
    )
    assert "Valid-Until" not in sources.deb822(strict, "/k.gpg")
    assert "Check-Valid-Until: no\n" in sources.deb822(lax, "/k.gpg")


@pytest.mark.parametrize(
    ("urls", "order"),
    [
        (["http://a.example"], ["a", "lists"]),
        (["https://a.example"], ["ca-certificates", "authorities", "a", "lists"]),
        (["https://a.example", "http://b.example"], ["b", "ca-certificates", "authorities", "a", "lists"]),
    ],
)
def test_what_https_needs_is_there_before_the_first_https_source(urls: list[str], order: list[str]) -> None:
    apt = {
        url.split("/")[2].split(".")[0]: AptRepositorySettings.model_validate({"url": url, "suite": "/"})
        for url in urls
    }
    found = []
    for item in sources.package_sources(MirrorsSettings(apt=apt), "1.36.3").items:
        match item:
            case File():
                found.append(item.path.split("/")[-1].partition(".")[0])
            case Package():
                found.append(item.name)
            case Script() if "update-ca-certificates" in item.apply:
                found.append("authorities")
            case PackageLists():
                found.append("lists")
    assert found == order


def official(changes: dict[str, object] | None = None, version: str = "1.36.3") -> list[Item]:
    """Return the items of the sources where `mirrors.apt` is omitted."""
    return list(sources.package_sources(MirrorsSettings.model_validate(changes or {}), version).items)


def texts(items: list[Item]) -> dict[str, str]:
    """Return the files' texts by their names."""
    return {item.path.split("/")[-1]: item.content or "" for item in items if isinstance(item, File)}


@pytest.mark.parametrize(("version", "minor"), [("1.36.3", "1.36"), ("1.9.10", "1.9"), ("1.37.0", "1.37")])
def test_official_repository_is_of_the_clusters_minor_version(version: str, minor: str) -> None:
    source = texts(official(version=version))["kubernetes.sources"]
    assert source == (
        f"Types: deb\nURIs: https://pkgs.k8s.io/core:/stable:/v{minor}/deb/\nSuites: /\n"
        "Signed-By: /etc/apt/keyrings/kubernetes.asc\n"
    )


def test_official_sources_come_after_what_https_needs_and_before_the_lists() -> None:
    items = official()
    authorities, lists = items.index(Package("ca-certificates")), items[-1]
    assert isinstance(lists, PackageLists)
    files = [item for item in items if isinstance(item, File)]
    assert all(items.index(file) > authorities for file in files)
    assert set(lists.sources) == {sources.CONTRIB, *(file.path for file in files)}
    assert all("mv" not in item.apply or "disabled" not in item.name for item in items if isinstance(item, Script))


@pytest.mark.programs
@pytest.mark.parametrize(
    ("file", "fingerprint", "owner"),
    [
        ("kubernetes.asc", "DE15B14486CD377B9E876E1A234654DA9A296436", "isv:kubernetes OBS Project"),
        ("containerd.asc", "9DC858229FC7DD38854AE2D88D81803C0EBFCD88", "Docker Release (CE deb)"),
    ],
)
def test_key_is_its_owners_and_alone_and_signs_itself(file: str, fingerprint: str, owner: str) -> None:
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        gpg = ["gpg", "--homedir", home, "--batch", "--no-tty", "--with-colons"]
        subprocess.run([*gpg, "--import"], input=texts(official())[file].encode(), check=True, capture_output=True)
        listed = subprocess.run([*gpg, "--check-sigs"], check=True, capture_output=True, text=True).stdout
    rows = [line.split(":") for line in listed.splitlines()]
    assert [row[0] for row in rows].count("pub") == 1
    assert next(row[9] for row in rows if row[0] == "fpr") == fingerprint
    assert all(owner in row[9].replace(r"\x3a", ":") for row in rows if row[0] == "uid")
    assert {row[1] for row in rows if row[0] == "sig" and row[4] == fingerprint[-16:]} == {"!"}


def test_renewed_key_takes_the_place_of_ours() -> None:
    key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc\n-----END PGP PUBLIC KEY BLOCK-----\n"
    assert texts(official({"kubernetes_key": key}))["kubernetes.asc"] == key
    assert texts(official({"kubernetes_key": key}))["containerd.asc"] != key


def test_without_a_registry_nothing_is_left_in_the_place_of_upstream() -> None:
    runtime = role("container-runtime", "chick1", "prod")
    assert [item.path for item in runtime.items if isinstance(item, Absent)] == [
        f"/etc/containerd/certs.d/{upstream}/hosts.toml" for upstream in ("registry.k8s.io", "quay.io", "docker.io")
    ]


def test_registry_does_not_stand_in_for_a_host_that_the_settings_have_no_more(tmp_path: Path) -> None:
    bare = parse_settings(changed(tree("dev"), {"mirrors": {"registry": None}}))
    for name in ("dev", "without a registry"):
        settings = bare if name != "dev" else site("dev")
        item = kubernetes.container_runtime(settings.hosts["chick1"], settings).items[-2]
        assert isinstance(item, Script)
        hosts = tmp_path / name
        ours = kubernetes.hosts_toml("http://198.18.0.9:5000", "ghcr.io")
        written = {
            "quay.io": kubernetes.hosts_toml("http://198.18.0.1:5000", "quay.io"),
            "ghcr.io": ours,
            "own.example.org": ours,
            "other.example.org": f"{kubernetes.hosts_toml('http://x', 'other.example.org')}skip_verify = true\n",
        }
        for upstream, text in written.items():
            (hosts / upstream).mkdir(parents=True)
            (hosts / upstream / "hosts.toml").write_text(text)
        left = hosts / "ghcr.io/hosts.toml"
        check, apply = (
            each.replace("HOSTS=/etc/containerd/certs.d", f"HOSTS='{hosts}'") for each in (item.check, item.apply)
        )
        assert _bash(check) == (1, f"{left}\n")
        assert _bash(apply) == (0, "")
        assert _bash(check) == (0, "\n")
        assert {path.parent.name for path in hosts.glob("*/hosts.toml")} == written.keys() - {"ghcr.io"}


def _bash(script: str) -> tuple[int, str]:
    """Return how a script ends, and what it prints."""
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout


def test_probe_sees_another_installation(tmp_path: Path) -> None:
    """Facts are read when a role is applied, so something has to differ on a machine that was reinstalled."""
    (item,) = base.identity().items
    assert isinstance(item, Script)
    known, etc = tmp_path / "var/lib/henhouse", tmp_path / "etc"
    etc.mkdir()
    (tmp_path / "var/lib").mkdir(parents=True)

    def holds(verb: str) -> bool:
        text = verb.replace("/etc/machine-id", f"{etc}/machine-id").replace("/var/lib/henhouse", str(known))
        return subprocess.run(["bash", "-euo", "pipefail", "-c", f"umask 077\n{text}"], check=False).returncode == 0

    (etc / "machine-id").write_text("1\n")
    assert not holds(item.check)
    assert holds(item.apply)
    assert holds(item.check)
    assert known.stat().st_mode & 0o777 == 0o755
    (etc / "machine-id").write_text("2\n")
    assert not holds(item.check)
