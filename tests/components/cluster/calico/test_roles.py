"""The cluster's roles, as data and as the scripts that run."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest

from components.cluster.calico import interfaces, kubeadm, roles
from components.cluster.calico.certificates import certificates_role
from components.cluster.calico.shell import SCRIPTS
from components.contracts.machines import SshTarget
from components.kube.pods import on_nodes_for
from converge.items import File, Script, Unit
from converge.render import render
from converge.role import Role
from stacks.load import parse_settings
from stacks.settings import HostSettings, Site
from tests.stacks.sites import changed, tree

WORKER_SECRETS = ("token", "ca_hash")


def _all(site: Site) -> Iterator[tuple[Role, tuple[str, ...]]]:
    yield roles.control_plane_role(site), ()
    yield certificates_role(site, kubeadm.control_plane(site)), ()
    yield roles.authority_role(), ()
    yield roles.administrator_role(1), ()
    yield roles.calico_role(site), ()
    chick1 = SshTarget.of("chick1", site.hosts["chick1"], site.access)
    yield roles.admission_role(site, chick1), ("machine_id",)
    yield roles.worker_role(site, "chick1"), WORKER_SECRETS
    yield roles.pods_role(site), ()
    yield roles.dns_role(site), ()


NO_NAME_SERVER = parse_settings(changed(tree("dev"), {"network": {"dns": None}}))


@pytest.mark.parametrize("settings", [parse_settings(tree("prod")), NO_NAME_SERVER], ids=["prod", "no name server"])
def test_rendered_scripts_are_sound(settings: Site, faults: Callable[[str], str]) -> None:
    scripts = {role.name: render(role, "a-machine", secrets) for role, secrets in _all(settings)}
    assert {name: said for name, script in scripts.items() if (said := faults(script))} == {}


def test_every_script_is_used(site: Site) -> None:
    sites = (site, NO_NAME_SERVER)
    used = "\n".join(render(role, "a-machine", secrets) for each in sites for role, secrets in _all(each))
    for path in SCRIPTS.glob("*.sh"):
        assert path.read_text().strip() in used, path.name


def test_a_changed_kubelet_configuration_restarts_the_kubelet(site: Site) -> None:
    for role in (roles.control_plane_role(site), roles.worker_role(site, "chick1")):
        (kubelet,) = [item for item in role.items if isinstance(item, Unit) and item.name == "kubelet.service"]
        assert kubelet.restart_on == (roles.KUBELET_CONFIG,)


def test_each_worker_has_a_token_of_its_own(site: Site) -> None:
    names = [roles.token_id(site, f"chick{number}") for number in range(1, 19)]
    assert len(set(names)) == len(names)
    # https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/#token-format
    assert all(len(name) == 6 and name.isalnum() and name.islower() | name.isdigit() for name in names)


def purpose_script(site: Site, role: Role) -> Script:
    (script,) = [item for item in role.items if isinstance(item, Script) and item.name == "node's purpose"]
    return script


@pytest.mark.parametrize("purpose", get_args(HostSettings.model_fields["purpose"].annotation))
def test_every_purpose_becomes_the_label_that_pods_ask_for(purpose: str) -> None:
    """A pod asks for its own kind of node or for `any`; the label that is written has to satisfy that."""
    others = {"chick0": {"duties": ["control-plane", "worker"]}}
    site = parse_settings(changed(tree("dev"), {"hosts": {**others, "chick1": {"purpose": purpose}}}))
    script = purpose_script(site, roles.worker_role(site, "chick1"))
    (label,) = {line.removeprefix("PURPOSE=") for line in script.apply.splitlines() if line.startswith("PURPOSE=")}
    assert f"PURPOSE={label}" in script.check.splitlines()
    for kind in ("core", "user"):
        affinity = on_nodes_for(kind).node_affinity
        (term,) = affinity.required_during_scheduling_ignored_during_execution.node_selector_terms
        (expression,) = term.match_expressions
        assert (label in expression.values) == (purpose in (kind, "any"))


def test_control_plane_that_takes_no_pods_has_no_purpose(site: Site) -> None:
    assert "PURPOSE=''" in purpose_script(site, roles.control_plane_role(site)).apply.splitlines()


def test_only_workers_for_the_hub_make_the_cluster_ready(site: Site) -> None:
    scripts = [item for item in roles.pods_role(site).items if isinstance(item, Script)]
    assert "NODES=chick1" in scripts[0].check.splitlines()


LOCAL = ("127.0.0.1", "127.0.0.53", "127.1.2.3", "0.0.0.0", "::1", "::", "::FFFF:127.0.0.1", "fe80::1%eth0", "fe80::1")


def asked(directory: Path, files: dict[str, str], *, chosen: str = "", then: str = "resolvers") -> tuple[int, str, str]:
    """Return how the role's script ends on a machine with these resolv.conf files, and what it says."""
    library = (SCRIPTS / "resolvers.sh").read_text()
    for name, path in {"run": "/run/systemd/resolve/resolv.conf", "etc": "/etc/resolv.conf"}.items():
        library = library.replace(f" {path}", f" {directory / name}")
        if name in files:
            (directory / name).write_text(files[name])
    values = f"RESOLVERS='{chosen}'\nRESOLV_CONF={directory}/pods\n"
    command = ["bash", "-euo", "pipefail", "-c", f"{values}{library}\n{then}"]
    done = subprocess.run(command, text=True, check=False, capture_output=True)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, ""),
        *(({"etc": f"nameserver {address}\n"}, "") for address in LOCAL),
        ({"etc": "search x\nnameserver 127.0.0.53\n", "run": "nameserver 192.0.2.1\n"}, "nameserver 192.0.2.1\n"),
        (
            {"etc": "# a\nnameserver 192.0.2.1\nnameserver ::1\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n"},
            "nameserver 192.0.2.1\nnameserver 2001:db8::1\n",
        ),
        (
            {"etc": "".join(f"nameserver 192.0.2.{n}\n" for n in range(5))},
            "nameserver 192.0.2.0\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n",
        ),
    ],
)
def test_pods_ask_the_machines_resolvers_that_they_reach(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    assert asked(tmp_path, files) == (0, expected, "")


def test_pods_ask_the_resolvers_that_the_settings_name(tmp_path: Path) -> None:
    said = asked(tmp_path, {"etc": "nameserver 192.0.2.1\n"}, chosen="198.18.0.2 198.18.0.3")
    assert said == (0, "nameserver 198.18.0.2\nnameserver 198.18.0.3\n", "")


@pytest.mark.parametrize("address", LOCAL)
def test_machine_whose_resolvers_no_pod_reaches_is_refused(tmp_path: Path, address: str) -> None:
    files = {"etc": f"nameserver {address}\n"}
    status, said, _ = asked(tmp_path, files, then=(SCRIPTS / "resolvers.apply.sh").read_text())
    assert status == 1
    assert "cluster.resolvers" in said
    assert not (tmp_path / "pods").exists()
    status, said, _ = asked(tmp_path, files, then=(SCRIPTS / "resolvers.check.sh").read_text())
    assert (status, said) == (1, "no resolver that a pod can reach\n")


def test_nothing_else_configures_the_interfaces_of_pods(site: Site) -> None:
    for role in (roles.control_plane_role(site), roles.worker_role(site, "chick1")):
        files = {item.path: item.content or "" for item in role.items if isinstance(item, File)}
        for name in interfaces.NAMES:
            assert name in files[interfaces.NETWORKD_LINKS]
            assert f"interface-name:{name}" in files[interfaces.NETWORK_MANAGER]
        reloaded = {item.name for item in role.items if isinstance(item, Unit) and item.enabled is None}
        assert reloaded == {"systemd-networkd.service", "NetworkManager.service"}


def test_pods_ask_the_gateway_where_it_is_the_name_server() -> None:
    site = parse_settings(
        changed(tree("dev"), {"network": {"dns": {"upstreams": ["198.18.0.1"]}}, "cluster": {"resolvers": []}})
    )
    (conf,) = [
        item
        for item in roles.worker_role(site, "chick1").items
        if isinstance(item, File) and item.path == kubeadm.RESOLV_CONF
    ]
    assert conf.content == "nameserver 198.18.0.2\n"


@pytest.mark.parametrize(("also", "excluded"), [([], "true"), (["worker"], "")])
def test_control_plane_without_pods_takes_no_connections_of_people(also: list[str], excluded: str) -> None:
    """The gateway would send some to it for as long as it takes to notice that it is off."""
    duties = {"hosts": {"chick0": {"duties": ["control-plane", *also]}}}
    (item,) = [
        item
        for item in roles.control_plane_role(parse_settings(changed(tree("dev"), duties))).items
        if isinstance(item, Script) and item.name == "node's load balancers"
    ]
    assert f"EXCLUDED='{excluded}'" in item.apply or f"EXCLUDED={excluded}\n" in item.apply
