"""An edit of nearly everything in the cluster, planned by the real engine: what runs never misses what it uses.

The state is put together of what the program registers: that of a site which is up, and whose release deleted a
ConfigMap or a Secret of a fixed name before it made the next.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
import yaml

from engine.install import ensure_engine
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


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Mapping[str, Any]], Plan]:
    """Provide a function that previews other settings of the site."""
    directory = tmp_path_factory.mktemp("site")
    engine = ensure_engine(backend=tmp_path_factory.mktemp("backend"))
    environment = {
        **os.environ,
        **engine.env,
        "PULUMI_CONFIG_PASSPHRASE": "not a secret",
        "PULUMI_DEBUG_COMMANDS": "true",
        "PYTHONPATH": str(ROOT),
    }
    runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
    (directory / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "henhouse", "runtime": runtime}))
    (directory / "__main__.py").write_text((ROOT / "__main__.py").read_text())

    def pulumi(*arguments: str) -> None:
        done = subprocess.run(
            [*OFFLINE, "pulumi", "--non-interactive", *arguments],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:]

    pulumi("stack", "init", STACK)
    held = yaml.safe_load((directory / f"Pulumi.{STACK}.yaml").read_text())
    deployment = {"version": 3, "deployment": {"resources": state_of(running(settings("Friday", 11)))}}
    (directory / "state.json").write_text(json.dumps(deployment))
    pulumi("stack", "import", "--file", str(directory / "state.json"))

    def planned(given: Mapping[str, Any]) -> Plan:
        config = {f"henhouse:{key}": value for key, value in given.items()}
        (directory / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({**held, "config": config}))
        log = directory / "events"
        log.unlink(missing_ok=True)
        pulumi("preview", "--event-log", str(log))
        events = [json.loads(line) for line in log.read_text().splitlines()]
        steps = [event["resourcePreEvent"]["metadata"] for event in events if "resourcePreEvent" in event]
        return [(step["op"], step["urn"].rpartition("::")[2]) for step in steps if step["op"] != "same"]

    return planned


@pytest.mark.engine
def test_nothing_that_runs_misses_what_it_uses_during_an_edit(plan: Callable[[Mapping[str, Any]], Plan]) -> None:
    assert {name for _, name in plan(settings("Friday", 11))} <= {"flock-provider"}, "not the state of the settings"
    steps = plan(settings("Monday", 12))
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
