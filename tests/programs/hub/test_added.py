"""What a site adds to its hub and to user servers, as JupyterHub and KubeSpawner read it."""

from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest

from components.apps.hub.added import hub_secrets
from components.apps.hub.site_json import config_files
from stacks.checks.added import OWN_SERVICES, SCOPES
from stacks.settings.chart import LONGEST_TEXT
from stacks.versions import SITE
from tests.programs.hub.asking import SECRETS, ask, in_text, site
from tests.stacks.test_fragments import parsed, written
from tests.test_pods import broken

pytestmark = pytest.mark.programs

ADDED: Final[dict[str, Any]] = {
    "services": {
        "announcer": {
            "apiToken": "token-of-the-announcer",
            "display": True,
            "oauth_redirect_uri": "https://a.example/",
        },
        "counter": {"command": ["python3", "-m", "counter"]},
    },
    "loadRoles": {
        "announcer": {"scopes": ["list:users"], "services": ["announcer"]},
        "user": {"scopes": ["self", "read:users:name!group=staff"]},
    },
    "singleuser": {
        "extraEnv": {"COURSE": "T0P-S3CRET {x}"},
        "extraFiles": {"conf": {"mountPath": "/etc/jupyter/x.json", "data": {"a": "T0P-S3CRET"}, "mode": 0o444}},
        "storage": {
            "extraVolumes": [{"name": "shared", "persistentVolumeClaim": {"claimName": "shared"}}],
            "extraVolumeMounts": [
                {"name": "shared", "mountPath": "/shared", "subPath": "{username}", "readOnly": True}
            ],
        },
    },
}


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the pod of a person at a hub with all of it."""
    of = site(**ADDED)
    return ask(
        tmp_path_factory.mktemp("hub"), "pod", "ada.l", of=of, secrets={**SECRETS, **in_text(hub_secrets(of.hub))}
    )


def test_server_has_environment_files_and_volumes(pod: Any) -> None:
    minor = ".".join(SITE["kubernetes"].split(".")[:2])
    kubernetes_validate.validate({"apiVersion": "v1", "kind": "Pod", **pod}, minor, strict=True)
    (container,) = pod["spec"]["containers"]
    (course,) = [each for each in container["env"] if each["name"] == "COURSE"]
    assert course == {
        "name": "COURSE",
        "valueFrom": {"secretKeyRef": {"name": "server-files", "key": "env.COURSE", "optional": True}},
    }
    volumes = {each["name"]: each for each in pod["spec"]["volumes"]}
    assert volumes["files"]["secret"] == {
        "secretName": "server-files",
        "items": [{"key": "file.conf", "path": "conf", "mode": 0o444}],
        "optional": True,
    }
    assert volumes["shared"]["persistentVolumeClaim"]["claimName"] == "shared"
    mounts = {each["mountPath"]: each for each in container["volumeMounts"]}
    assert mounts["/etc/jupyter/x.json"] == {
        "name": "files",
        "mountPath": "/etc/jupyter/x.json",
        "subPath": "conf",
        "readOnly": True,
    }
    assert mounts["/shared"]["subPath"].startswith("ada-l---"), "KubeSpawner's own spelling of the name"
    assert {"/etc/passwd", "/etc/group"} <= set(mounts)
    assert broken(pod["spec"]) == [], "the API server would refuse it"


def test_no_value_is_in_the_pod(pod: Any) -> None:
    assert "T0P-S3CRET" not in str(pod)


def test_services_and_roles_are_beside_ours(tmp_path: Path) -> None:
    of = site(**ADDED)
    secrets = {**SECRETS, **in_text(hub_secrets(of.hub))}
    said = ask(tmp_path, "settings", of=of, secrets=secrets)
    services = {each["name"]: each for each in said["services"]}
    without_a_menu = {*OWN_SERVICES} - {"image-menu"}
    assert services.keys() == {*without_a_menu, "announcer", "counter"}
    assert services["announcer"] == {
        "name": "announcer",
        "display": True,
        "oauth_no_confirm": False,
        "oauth_redirect_uri": "https://a.example/",
        "api_token": "token-of-the-announcer",
    }
    assert "api_token" not in services["counter"], "the hub makes it"
    roles = {each["name"]: each for each in said["roles"]}
    assert roles["announcer"] == {"name": "announcer", "scopes": ["list:users"], "services": ["announcer"]}
    assert roles["user"].keys() == {"name", "scopes"}, "an empty list of users would take the role from everybody"


def test_fragment_has_the_last_word_where_its_name_is_later(tmp_path: Path) -> None:
    stack, hub = tmp_path / "stack", tmp_path / "hub"
    hub.mkdir()
    written(
        stack,
        {
            "05-early.py": "from henhouse_hub import c\n\nc.JupyterHub.cleanup_servers = True\n",
            "99-late.py": (
                "from henhouse_hub import c, secret\n\n"
                'c.JupyterHub.services.append({"name": "mine", "api_token": secret("proxy-token")})\n'
            ),
        },
    )
    of = parsed(stack, fragments="site/fragments")
    assert {"05-early.py", "99-late.py", "10-hub.py"} <= config_files(of.hub).keys()
    said = ask(hub, "settings", of=of)
    assert said["cleanup_servers"] is False, "henhouse's 10-hub.py comes later"
    assert said["services"][-1]["name"] == "mine"


def test_authenticator_of_a_fragment_has_its_own_conditions(tmp_path: Path) -> None:
    stack, hub = tmp_path / "stack", tmp_path / "hub"
    hub.mkdir()
    own = (
        "from henhouse_hub import c\nfrom jupyterhub.auth import Authenticator\n\n\n"
        "class Own(Authenticator):\n    pass\n\n\n"
        'c.JupyterHub.authenticator_class = Own\nc.Authenticator.allowed_users = {"ada"}\n'
    )
    written(stack, {"80-own.py": own})
    said = ask(hub, "settings", of=parsed(stack, fragments="site/fragments"))
    assert (said["authenticator"], said["lets_everybody_in"]) == ("Own", False)


def test_scopes_are_those_of_the_pinned_jupyterhub(tmp_path: Path) -> None:
    assert {*ask(tmp_path, "scopes", of=site())} == {*SCOPES, "(no_scope)"}


def test_texts_fit_into_the_tables_of_the_pinned_jupyterhub(tmp_path: Path) -> None:
    """SQLite, with which tests and rehearsals start, takes any length; PostgreSQL does not."""
    texts = ("roles.description", "oauth_clients.redirect_uri", "oauth_codes.redirect_uri")
    names = ("oauth_clients.identifier", "services.oauth_client_id", "roles.name", "groups.name")
    assert ask(tmp_path, "lengths", *texts, *names, of=site()) == [LONGEST_TEXT] * 3 + [255] * 4
