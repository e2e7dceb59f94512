"""What a site adds to its hub and to user servers: where it is kept, and what is replaced for it."""

import base64
import json
from typing import Any, Final

import kubernetes_validate
import pytest

from tests.components.apps.hub.test_component import MINOR, objects, pod, program
from tests.programs.hub.asking import site
from tests.recorded import Recorded

SECRET: Final = "T0P-S3CRET"
ADDED: Final[dict[str, Any]] = {
    "extraEnv": {"HTTPS_PROXY": SECRET},
    "extraFiles": {"terms": {"mountPath": "/srv/terms.txt", "stringData": SECRET, "mode": 0o444}},
    "extraVolumes": [
        {"name": "spool", "emptyDir": {"sizeLimit": "1Gi"}},
        {"name": "claim", "persistentVolumeClaim": {"claimName": "shared"}},
        {"name": "texts", "configMap": {"name": "texts"}},
        {"name": "kept", "secret": {"secretName": "kept", "optional": True}},
    ],
    "extraVolumeMounts": [{"name": "spool", "mountPath": "/srv/spool", "subPath": "x"}],
    "services": {"announcer": {"apiToken": SECRET}},
    "singleuser": {
        "extraEnv": {"COURSE": SECRET},
        "extraFiles": {"conf": {"mountPath": "/etc/jupyter/x.json", "data": {"a": SECRET}}},
    },
}


@pytest.fixture(scope="module")
def hub() -> Recorded:
    return program(site(**ADDED))


def test_every_object_fits_its_schema(hub: Recorded) -> None:
    for each in objects(hub):
        named = {**each.inputs, "metadata": {"name": "given-by-the-provider", **each.inputs["metadata"]}}
        kubernetes_validate.validate(named, MINOR, strict=True)


def test_values_are_in_secrets_alone(hub: Recorded) -> None:
    encoded = base64.b64encode(SECRET.encode()).decode()
    for each in objects(hub):
        text = json.dumps(each.inputs)
        assert SECRET not in text, each.name
        if encoded in text:
            assert each.type == "kubernetes:core/v1:Secret"
            assert "data" in each.secret_keys


def test_hub_has_them_beside_its_own(hub: Recorded) -> None:
    spec = pod(hub, "hub-server")
    (container,) = spec["containers"]
    assert container["env"] == [
        {
            "name": "HTTPS_PROXY",
            "valueFrom": {"secretKeyRef": {"name": "hub-keys-1a2b3c4d", "key": "env.HTTPS_PROXY"}},
        }
    ]
    mounts = {each["mountPath"]: each for each in container["volumeMounts"]}
    assert mounts["/srv/terms.txt"]["subPath"] == "terms"
    assert mounts["/srv/spool"] == {"name": "spool", "mountPath": "/srv/spool", "subPath": "x", "readOnly": False}
    volumes = {each["name"]: each for each in spec["volumes"]}
    assert volumes["files"]["secret"]["items"] == [{"key": "file.terms", "path": "terms", "mode": 0o444}]
    assert {"spool", "claim", "texts", "kept", "config", "keys", "database", "tmp"} <= volumes.keys()
    data = hub.one("hub-keys").inputs["data"]
    assert data.keys() == {"env.HTTPS_PROXY", "file.terms", "service.announcer"}


def test_servers_find_theirs_in_their_own_namespace(hub: Recorded) -> None:
    secret = hub.one("hub-server-files")
    # A container of a running server that is started again looks for it by the name that it began with.
    assert secret.inputs["metadata"] == {"name": "server-files", "namespace": "users"}
    assert "immutable" not in secret.inputs
    assert "hub-server-files" in hub.one("hub-server").depends_on_names
    assert secret.inputs["data"].keys() == {"env.COURSE", "file.conf"}
    values = json.loads(hub.one("hub-config").inputs["data"]["site.json"])
    assert values["added"]["secret"] == "server-files"


def test_people_stay_logged_in(hub: Recorded) -> None:
    plain = program(site())
    before, after = (recorded.one("hub-keys").inputs["stringData"] for recorded in (plain, hub))
    assert before == after
    assert pod(plain, "hub-proxy") == pod(hub, "hub-proxy"), "connections go through it"


def test_site_that_adds_nothing_has_nothing_more() -> None:
    plain = program(site())
    assert not [each for each in plain if each.name == "hub-server-files"]
    assert "data" not in plain.one("hub-keys").inputs
    assert "env" not in pod(plain, "hub-server")["containers"][0]
