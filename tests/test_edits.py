"""Edits of a site that runs, by the real engine: what people use is never away, and what is to stay is never touched.

The state is put together of what the program registers: that of a site which is up, and whose release deleted a
ConfigMap or a Secret of a fixed name before it made the next.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from engine.install import ensure_engine
from stacks.checks.mounts import HUB_OBJECTS, SERVER_OBJECTS
from tests.certificates import Authority
from tests.recorded import Recorded, Registration
from tests.stacks.sites import ROOT, changed, tree
from tests.test_preview import OFFLINE
from tests.test_program import kubernetes_objects, program_of, urn
from tests.test_variants import EACH, variant

Tree = dict[str, Any]
Plan = list[tuple[str, str]]
"""The (operation, logical name) of each step, in order, of what does not stay the same."""
STACK: Final = "dev"
CERTIFICATES: Final = {word: Authority().issue("hub.henhouse.localhost") for word in ("Friday", "Monday")}
AUTONAMED: Final = "pulumi.com/autonamed"
"""The annotation of an object that the provider named."""
MUTABLE: Final = ("enableConfigMapMutable", "enableSecretMutable")

KEEPS_ITS_NAME: Final = {
    "flock-prometheus-token": "Kubernetes writes what is in it",
    "hub-announcements": "the hub's pod reads its file at each page",
    "hub-own-pull-secret": "the kubelet reads it at each pull",
    "hub-pull-secret": "the kubelet reads it at each pull",
    "hub-server-files": "for servers that start; people start their own again when they want to",
}
"""Why no pod has to start again for an edit of a ConfigMap or Secret, by logical name."""
DELETED_FIRST: Final[Mapping[str, str]] = {}
"""Why an object may be away for a while, by logical name. Jobs need no place here: the provider names them, so an old
one is deleted after the new one is done."""

UPDATED: Final = {
    "secrets-cookie-secret": {"hub-server"},
    "secrets-proxy-token": {"hub-server", "hub-proxy"},
    "secrets-metrics-token": {"hub-server", "rooster-watch-command"},
}
"""What starts again when a secret is replaced, by the secret's logical name."""


def settings(word: str, day: int) -> Mapping[str, Any]:
    """Return a site with what has objects in the cluster; each value has the word or the number in it."""
    secret, weekday = f"T0P-S3CRET-{word}", word.lower()
    size = {"requests": {"memory": f"{day}Gi"}}
    on = {"enabled": True}
    chain, key = CERTIFICATES[word]
    server_files = {"course": {"mountPath": "/srv/course", "stringData": word}}
    hub = {
        "login": "native",
        "announcements": [{"text": f"Closed on {word}"}],
        "contact": f"{weekday}@example.org",
        "extraEnv": {"PROXY": secret},
        "extraFiles": {"terms": {"mountPath": "/srv/terms.json", "stringData": word}},
        "services": {"announcer": {"apiToken": secret}},
        "image": f"quay.io/team/hub:{day}",
        "proxy_image": f"quay.io/team/proxy:{day}",
        "server_image": f"quay.io/team/lab:{day}",
        "imagePullSecrets": {"quay.io": {"username": "grace", "password": secret}},
        "prePuller": {"extraImages": {"course": {"name": "quay.io/team/course", "tag": str(day)}}},
        "resources": size,
        "proxy_resources": size,
        "pdb": on,
        "proxy_pdb": on,
        "scheduling": {"podPriority": on, "userPlaceholder": {"replicas": day, "resources": size}},
        "singleuser": {"extraEnv": {"COURSE": secret}, "extraFiles": server_files},
    }
    edge = {
        "pdb": on,
        "resources": size,
        "load_balancer_address": f"198.18.48.{day}",
        "certificate": {"certificate": chain, "private_key": key},
    }
    storage = {"homes": {"capacity": f"{day}Ti"}, "shares": {"datasets": {}, "project": {"groups": [weekday]}}}
    # Two workers for core pods, as a budget needs them; a registry that is not asked for a password in plain.
    site = {"hosts": {"chick2": {"purpose": "any"}}, "mirrors": {"registry": None}}
    return changed(tree(STACK), {**site, "hub": hub, "edge": edge, "storage": storage})


def running(given: Mapping[str, Any]) -> Recorded:
    """Return what the program registers for a site whose objects all have names."""
    names = {each.name: object_name(each) for each in kubernetes_objects(program_of(STACK, given))}
    return program_of(STACK, given, {name: {"metadata": {"name": each}} for name, each in names.items()})


def object_name(each: Registration) -> str:
    """Return what the object is called in the cluster: by the program, or else by the provider."""
    return str(each.inputs.get("metadata", {}).get("name", f"{each.name}-1a2b3c4d"))


def state_of(recorded: Recorded) -> list[Tree]:
    """Return the resources of a state in which everything is there that was registered."""
    root = f"urn:pulumi:{STACK}::henhouse::pulumi:pulumi:Stack::henhouse-{STACK}"
    found: dict[str, Tree] = {root: {"urn": root, "type": "pulumi:pulumi:Stack", "custom": False}}
    urns = {each.parent: root for each in recorded} | {each.urn: urn(STACK, recorded, each) for each in recorded}
    for each in recorded:
        made = _resource(each, urns)
        if each.custom and "provider" not in made and not each.type.startswith("pulumi:"):
            provider = _default_provider(each)
            found[provider["urn"]] = provider
            made["provider"] = f"{provider['urn']}::{provider['id']}"
        found[made["urn"]] = made
    return list(found.values())


def _resource(each: Registration, urns: Mapping[str, str]) -> Tree:
    made: Tree = {
        "urn": urns[each.urn],
        "type": each.type,
        "custom": each.custom,
        "id": f"{each.name}-id" if each.custom else "",
        "parent": urns[each.parent],
        "inputs": each.inputs,
        "outputs": each.outputs,
        "dependencies": sorted(urns[other] for other in each.depends_on),
        "propertyDependencies": {
            key: sorted(urns[other] for other in of_property.urns)
            for key, of_property in each.request.propertyDependencies.items()
        },
        "protect": each.protect,
        "retainOnDelete": each.retain_on_delete,
    }
    if each.type.startswith("kubernetes:"):
        provider, _, id = each.request.provider.rpartition("::")
        return {**made, "provider": f"{urns[provider]}::{id}", **_object(each)}
    if each.type.startswith("pulumi:providers:"):
        older = {key: value for key, value in each.inputs.items() if key not in MUTABLE}
        return {**made, "inputs": {**older, "version": each.request.version}, "outputs": older}
    return made


def _object(each: Registration) -> Tree:
    """Return what the state has of an object: `checkpointObject` of the provider, as in tests/engine/test_moved.py."""
    about = each.outputs["metadata"]
    if "name" not in each.inputs.get("metadata", {}):
        about = {**about, "annotations": {**about.get("annotations", {}), AUTONAMED: "true"}}
    said = {**each.inputs, "metadata": about}
    id = "/".join(filter(None, (about.get("namespace"), about["name"])))
    return {"id": id, "inputs": said, "outputs": {**each.outputs, "metadata": about, "__inputs": said}}


def _default_provider(each: Registration) -> Tree:
    """Return the provider that the engine makes for resources of a plugin for which the program makes none."""
    plugin, version = each.type.partition(":")[0], each.request.version
    kind = f"pulumi:providers:{plugin}"
    made = f"urn:pulumi:{STACK}::henhouse::{kind}::default_{version.replace('.', '_')}"
    return {"urn": made, "type": kind, "custom": True, "id": plugin, "inputs": {"version": version}}


class Running:
    """A stack in whose state the site is."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._directory = directory
        self._environment = {
            **os.environ,
            **environment,
            "PULUMI_CONFIG_PASSPHRASE": "not a secret",
            "PULUMI_DEBUG_COMMANDS": "true",
            "PYTHONPATH": str(ROOT),
        }
        runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
        (directory / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "henhouse", "runtime": runtime}))
        (directory / "__main__.py").write_text((ROOT / "__main__.py").read_text())
        self._pulumi("stack", "init", STACK)
        self._file = directory / f"Pulumi.{STACK}.yaml"
        self._held = yaml.safe_load(self._file.read_text())
        state = directory / "state.json"
        resources = state_of(running(settings("Friday", 11)))
        state.write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}))
        self._pulumi("stack", "import", "--file", str(state))

    def _pulumi(self, *arguments: str, fails: bool = False) -> str:
        done = subprocess.run(
            [*OFFLINE, "pulumi", "--non-interactive", *arguments],
            cwd=self._directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert bool(done.returncode) == fails, done.stdout[-4000:]
        return done.stdout

    def steps(self, given: Mapping[str, Any], *command: str, fails: bool = False) -> tuple[Plan, str]:
        """Run a command on other settings of the site: what it did, or would do, and what it printed."""
        config = {f"henhouse:{key}": value for key, value in given.items()}
        self._file.write_text(yaml.safe_dump({**self._held, "config": config}))
        log = self._directory / "events"
        log.unlink(missing_ok=True)
        printed = self._pulumi(*command, "--event-log", str(log), fails=fails)
        events = [json.loads(line) for line in log.read_text().splitlines()]
        steps = [event["resourcePreEvent"]["metadata"] for event in events if "resourcePreEvent" in event]
        return [(each["op"], each["urn"].rpartition("::")[2]) for each in steps if each["op"] != "same"], printed

    def unprotected(self, name: str) -> str:
        """Let a resource be replaced, and return its URN."""
        resources = json.loads(self._pulumi("stack", "export"))["deployment"]["resources"]
        (urn,) = (each["urn"] for each in resources if each["urn"].endswith(f"::{name}"))
        self._pulumi("state", "unprotect", "--yes", urn)
        return str(urn)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Running:
    engine = ensure_engine(backend=tmp_path_factory.mktemp("backend"))
    return Running(tmp_path_factory.mktemp("site"), engine.env)


@pytest.mark.engine
def test_nothing_that_runs_misses_what_it_uses_during_an_edit(site: Running) -> None:
    unchanged, _ = site.steps(settings("Friday", 11), "preview")
    assert {name for _, name in unchanged} <= {"flock-provider"}, "not the state of the settings"
    steps, _ = site.steps(settings("Monday", 12), "preview")
    made = {name for operation, name in steps if operation == "create-replacement"}
    assert made >= {"hub-config", "hub-keys", "edge-certificate", "hub-rehearsal"}, "the edit has these made again"
    early = {
        name
        for operation, name in steps
        if operation == "delete-replaced"
        and ("create-replacement", name) not in steps[: steps.index((operation, name))]
    }
    assert early - DELETED_FIRST.keys() == set(), "these are away for a while: edit them where they are"
    updated = {name for operation, name in steps if operation == "update"}
    assert updated >= KEEPS_ITS_NAME.keys() - {"flock-prometheus-token"}, "edited where they are"
    assert updated >= {"hub-server", "hub-proxy", "edge-proxy", "homes-volume"}, "the edit reaches all of these"
    assert not [name for operation, name in steps if operation == "delete"]


@pytest.mark.engine
def test_share_that_is_removed_is_refused_before_its_export_goes(site: Running) -> None:
    """Also by an update without a preview, which would come to what is protected last."""
    fewer = changed(settings("Friday", 11), {"storage": {"shares": {"project": None}}})
    words = ("up", "--yes", "--skip-preview", "--continue-on-error")
    steps, printed = site.steps(fewer, *words, fails=True)
    assert "storage.shares: project was removed, and its volume and its claim are protected" in printed
    assert steps == []


@pytest.mark.engine
@pytest.mark.parametrize("name", UPDATED)
def test_secret_that_is_replaced_restarts_no_more_than_docs_say(site: Running, name: str) -> None:
    """By the commands of docs/hub.md."""
    steps, _ = site.steps(settings("Friday", 11), "preview", "--replace", site.unprotected(name))
    assert {each for operation, each in steps if operation == "update"} - {"flock-provider"} == UPDATED[name]
    assert {each for operation, each in steps if operation == "create-replacement"} >= {
        name,
        "hub-keys",
        "hub-rehearsal",
    }
    operations = [operation for operation, _ in steps]
    assert "update" not in operations[operations.index("delete-replaced") :], "the old one is there until then"


@pytest.mark.parametrize("name", EACH)
def test_pods_start_again_for_what_does_not_keep_its_name(name: str) -> None:
    """What is edited where it is has a reason; everything else is immutable, and its name goes into the pod's spec."""
    recorded = variant(name)
    for each in kubernetes_objects(recorded):
        if each.inputs["kind"] not in ("ConfigMap", "Secret"):
            continue
        fixed = "name" in each.inputs["metadata"]
        assert fixed == (each.name in KEEPS_ITS_NAME), f"{each.name}: say why its pods need not start again"
        assert fixed != each.inputs.get("immutable", False), f"{each.name} would be deleted before it is made again"
    (provider,) = recorded.all("pulumi:providers:kubernetes")
    assert {key: provider.inputs[key] for key in MUTABLE} == dict.fromkeys(MUTABLE, "true")


def test_names_that_volumes_of_a_site_may_not_show_are_those_of_the_program() -> None:
    named: dict[str, set[str]] = {"hub": set(), "users": set()}
    for each in kubernetes_objects(program_of(STACK, settings("Friday", 11))):
        about = each.inputs.get("metadata", {})
        if each.inputs["kind"] in ("PersistentVolumeClaim", "Secret", "ConfigMap") and about.get("namespace") in named:
            named[about["namespace"]] |= {about["name"]} if "name" in about else set()
    assert named == {"hub": {*HUB_OBJECTS}, "users": {*SERVER_OBJECTS, "share-datasets", "share-project"}}
