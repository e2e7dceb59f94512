"""A small site: on each machine a role and one that is given a fact of it, in the cluster objects that need others."""

from pathlib import Path

import pulumi
from pulumi_kubernetes import Provider
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import ConfigMap, Namespace, Service
from pydantic import SecretStr

from components.contracts.machines import SshTarget
from converge.findings import probe_if_requested
from converge.host_state import HostState
from converge.items import File
from converge.role import Fact, Role

config = pulumi.Config()
findings = probe_if_requested()


def told(target: SshTarget, role: str, text: str) -> None:
    """Write a file on a machine, then another that says by which run."""
    run = Fact("run", "cat /proc/sys/kernel/random/uuid", lasting=False)
    file = f"/tmp/{target.name}-{role}"
    given = HostState(target, Role(role, (File(file, f"{text}\n"),), facts=(run,)), findings=findings)

    def kept(facts: dict[str, str]) -> Role:
        return Role(f"{role}-kept", (File(f"{file}-run", f"{facts['run']}\n"),))

    HostState(target, given.facts.apply(kept), role_name=f"{role}-kept", findings=findings)


for name, (port, host_key) in config.require_object("machines").items():
    key = SecretStr(config.require("private_key"))
    machine = SshTarget(name, "127.0.0.1", host_key, port=port, private_key=key)
    told(machine, "told", config.get("told") or "as told")
    told(machine, "other", config.get("other") or "other")

if kubeconfig := config.get("kubeconfig"):
    identifier = config.get("identifier") or "test"
    provider = Provider("cluster", kubeconfig=Path(kubeconfig).read_text(), cluster_identifier=identifier)
    opts = pulumi.ResourceOptions(provider=provider)
    space = Namespace("site", metadata={"name": "site"}, opts=opts)
    inside = {"namespace": space.metadata.name}
    settings = ConfigMap("settings", metadata=inside, data={"text": config.get("text") or "one"}, opts=opts)
    Service("server", metadata={"name": "server", **inside}, spec={"ports": [{"port": 2049}]}, opts=opts)
    source = [{"config_map_ref": {"name": settings.metadata.name}}]
    Deployment(
        "idle",
        metadata={"name": "idle", **inside},
        spec={
            "replicas": 0,
            "selector": {"match_labels": {"app": "idle"}},
            "template": {
                "metadata": {"labels": {"app": "idle"}},
                "spec": {"containers": [{"name": "main", "image": "example.test/image:1", "env_from": source}]},
            },
        },
        opts=opts,
    )
