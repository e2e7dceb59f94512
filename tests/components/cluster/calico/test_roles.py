"""The cluster's roles, as data and as the scripts that run."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from components.cluster.calico import roles
from components.cluster.calico.shell import SCRIPTS
from components.kube.pods import on_nodes_for
from converge.items import Script, Unit
from converge.render import render
from converge.role import Role
from stacks.load import parse_settings
from stacks.settings import HostSettings, Site
from tests.stacks.sites import changed, tree
from tests.tools import shellcheck

WORKER_SECRETS = ("token", "ca_hash")


def _all(site: Site) -> Iterator[tuple[Role, tuple[str, ...]]]:
    yield roles.control_plane_role(site), ()
    yield roles.administrator_role(), ()
    yield roles.calico_role(site), ()
    yield roles.admission_role(site, "chick1"), ()
    yield roles.worker_role(site, "chick1"), WORKER_SECRETS
    yield roles.pods_role(site), ()


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_rendered_scripts_are_sound(stack: str) -> None:
    for role, secrets in _all(parse_settings(tree(stack))):
        text = render(role, "a-machine", secrets)
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)
        found = shellcheck(text, "--shell=bash")
        assert found.returncode == 0, f"{role.name}:\n{found.stdout}"


def test_every_script_is_used(site: Site) -> None:
    used = "\n".join(render(role, "a-machine", secrets) for role, secrets in _all(site))
    for path in SCRIPTS.glob("*.sh"):
        assert path.read_text().strip() in used, path.name


def test_a_changed_kubelet_configuration_restarts_the_kubelet(site: Site) -> None:
    for role in (roles.control_plane_role(site), roles.worker_role(site, "chick1")):
        (kubelet,) = [item for item in role.items if isinstance(item, Unit)]
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
    assert "NODES=chick1" in scripts[-1].check.splitlines()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "nameserver 198.18.0.2\n"),
        ({"etc": "nameserver 127.0.0.53\n"}, "nameserver 198.18.0.2\n"),
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
def test_pods_ask_the_machines_resolvers(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    paths = {"etc": f"{tmp_path}/etc", "run": f"{tmp_path}/run"}
    for name, text in files.items():
        with open(paths[name], "w") as file:
            file.write(text)
    library = (SCRIPTS / "resolvers.sh").read_text()
    library = library.replace("/run/systemd/resolve/resolv.conf", paths["run"]).replace(
        "/etc/resolv.conf", paths["etc"]
    )
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"GATEWAY=198.18.0.2\n{library}\nresolvers"],
        text=True,
        check=True,
        capture_output=True,
    )
    assert done.stdout == expected
