"""States that another engine wrote, previewed where nothing answers at the API server's address.

The states are put together by the rules of `checkpointObject` (provider/pkg/provider/provider.go of
pulumi/pulumi-kubernetes): a site that has nothing but its state is all that a reviewer has.
"""

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine.project import STACK, Project
from tests.stacks.sites import ROOT

pytestmark = pytest.mark.engine

Make = Callable[..., Project]
Tree = dict[str, Any]

TOKEN = "correct-horse-battery"
ENCODED = "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"
MARK = ("4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270")
LIVE: Tree = {"uid": "11111111-2222-3333-4444-555555555555", "resourceVersion": "7", "generation": 1}


def hidden(value: object) -> Tree:
    """Return a secret as a state has it that was exported with its secrets."""
    return {MARK[0]: MARK[1], "plaintext": json.dumps(value)}


def objects(official: bool) -> dict[str, tuple[str, Tree]]:
    """Type and recorded inputs by logical name: as the official provider spells them, or as our older ones did."""
    inside = {"namespace": "space"}
    named = {"annotations": {"pulumi.com/autonamed": "true"}, "name": "settings-0a1b2c3d", **inside}
    volume: Tree = {"accessModes": ["ReadWriteMany"], "nfs": {"server": "198.18.0.200", "path": "/homes"}}
    volume |= (
        {"capacity": {"storage": "1Ti"}} if official else {"capacity": {"storage": "1024Gi"}, "storageClassName": ""}
    )
    policy: Tree = {"podSelector": {}, "policyTypes": ["Ingress"]}
    policy |= {} if official else {"podSelector": {"matchLabels": {}}, "ingress": []}
    claim = {"accessModes": ["ReadWriteMany"], "storageClassName": "", "volumeName": "volume"}

    def made(version: str, kind: str, name: str, **rest: Any) -> tuple[str, Tree]:
        metadata = {"name": name, **({} if kind == "PersistentVolume" else inside)}
        group = "core/v1" if version == "v1" else version
        return f"kubernetes:{group}:{kind}", {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}

    token, settings = made("v1", "ConfigMap", "", data={"text": "one"})
    return {
        "settings": (token, {**settings, "metadata": named}),
        "hidden": made("v1", "ConfigMap", "hidden", data=hidden({"a": TOKEN})),
        "secret": made("v1", "Secret", "secret", data=hidden({"a": ENCODED})),
        "volume": made("v1", "PersistentVolume", "volume", spec=volume),
        "claim": made("v1", "PersistentVolumeClaim", "claim", spec=claim),
        "policy": made("networking.k8s.io/v1", "NetworkPolicy", "policy", spec=policy),
        "pool-one": made("example.test/v1", "Pool", "one", spec={"size": 0, "labels": {}}),
        "pool-other": made("example.test/v1", "Pool", "other", spec={"size": 0, "labels": {}}),
    }


def recorded(inputs: Tree, official: bool) -> Tree:
    """Return the state of an object: what the API server answered, and what the provider adds."""
    live = {**inputs, "metadata": {**inputs["metadata"], **LIVE}, "status": {"phase": "Bound"}}
    added = {"__initialApiVersion": inputs["apiVersion"], "__fieldManager": "pulumi-kubernetes-1a2b3c4d"}
    return {**live, **added, **({"__inputs": inputs} if official else {})}


@pytest.fixture
def silent() -> Iterator[str]:
    """Provide an address whose packets are dropped: the queue of a listener that accepts no connection is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def stack(project: Make, silent: str) -> Project:
    """Provide a stack of nothing but the provider, whose API server does not answer."""
    made = project("moved")
    config = {
        "clusters": [{"name": "test", "cluster": {"server": silent}}],
        "users": [{"name": "admin", "user": {"token": "x"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "current-context": "test",
    }
    made.configure_secret("kubeconfig", yaml.safe_dump(config))
    made.configure_secret("token", TOKEN)
    made.environment["PULUMI_K8S_CLIENT_TIMEOUT"] = "1"
    made.up()
    made.configure(objects=True)
    return made


def populate(stack: Project, directory: Path, official: bool) -> None:
    """Put the objects into the stack's state."""
    exported = json.loads(stack.pulumi("stack", "export", "--show-secrets"))
    resources = exported["deployment"]["resources"]
    provider = next(each for each in resources if each["type"] == "pulumi:providers:kubernetes")
    parent = next(each["urn"] for each in resources if each["type"] == "pulumi:pulumi:Stack")
    for name, (token, inputs) in objects(official).items():
        metadata = inputs["metadata"]
        resources.append(
            {
                "urn": f"urn:pulumi:{STACK}::moved::{token}::{name}",
                "type": token,
                "custom": True,
                "id": "/".join(filter(None, (metadata.get("namespace"), metadata["name"]))),
                "inputs": inputs,
                "outputs": recorded(inputs, official),
                "parent": parent,
                "provider": f"{provider['urn']}::{provider['id']}",
            }
        )
    file = directory / "populated.json"
    file.write_text(json.dumps(exported))
    stack.pulumi("stack", "import", "--file", str(file))


@pytest.mark.parametrize("official", [True, False], ids=["of the official plugin", "of an older stand-in"])
def test_state_of_another_engine_shows_no_difference(stack: Project, tmp_path: Path, official: bool) -> None:
    populate(stack, tmp_path, official)
    assert stack.plan() == {}
    stack.configure(text="two")
    assert stack.plan() == {"settings": "update"}


def test_preview_of_a_populated_state_is_quick_where_packets_are_dropped(
    stack: Project, tmp_path: Path, silent: str
) -> None:
    """As `make preview` runs it; the plan is of the state, and says so."""
    populate(stack, tmp_path, official=True)
    stack.environment["PULUMI_K8S_CLIENT_TIMEOUT"] = _of_make()
    begun = time.monotonic()
    shown = stack.pulumi("preview")
    assert time.monotonic() - begun < 60
    assert re.search(rf"the API server at {silent} does not answer: .*not checked", shown)
    assert TOKEN not in shown


def _of_make() -> str:
    """Return what `make preview` sets the variable to."""
    seen = "ENGINE=printenv PULUMI_K8S_CLIENT_TIMEOUT;:"
    command = ["make", "--silent", "--old-file=setup", "preview", "STACK=dev", "PASSPHRASE=true", seen]
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout.split()[-1]
