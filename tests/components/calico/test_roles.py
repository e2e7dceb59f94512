"""The cluster's roles, as data and as the scripts that run."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.calico import roles
from components.calico.shell import SCRIPTS
from converge.items import Script, Unit
from converge.render import render
from converge.role import Role
from stacks.models import Site
from stacks.settings import parse_settings
from tests.programs import shellcheck
from tests.stacks.sites import changed, tree

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


@pytest.mark.parametrize(("purpose", "written"), [("core", "PURPOSE=core"), ("any", "PURPOSE=''")])
def test_purposes_become_labels(purpose: str, written: str) -> None:
    site = parse_settings(changed(tree("dev"), {"hosts": {"chick1": {"purpose": purpose}}}))
    (script,) = [
        item
        for item in roles.worker_role(site, "chick1").items
        if isinstance(item, Script) and item.name == "node's purpose"
    ]
    assert written in script.check.splitlines()
    assert written in script.apply.splitlines()


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
