"""Objects of many kinds; the kubeconfig comes out of a command, so the first preview does not know it."""

import pulumi
from pulumi_command import local
from pulumi_kubernetes import Provider
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.apiextensions.v1 import CustomResourceDefinition
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.batch.v1 import Job
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    Namespace,
    PersistentVolume,
    PersistentVolumeClaim,
    Secret,
    Service,
    ServiceAccount,
)
from pulumi_kubernetes.discovery.v1 import EndpointSlice
from pulumi_kubernetes.rbac.v1 import ClusterRole

config = pulumi.Config()
text = config.get("text") or "one"

kubeconfig = local.Command(
    "kubeconfig",
    create=f"cat {config.require('kubeconfig')}",
    environment={"ROUND": config.get("round") or "1"},
    logging=local.Logging.NONE,
    add_previous_output_in_env=False,
    opts=pulumi.ResourceOptions(additional_secret_outputs=["stdout"]),
)
provider = Provider(
    "cluster",
    kubeconfig=kubeconfig.stdout,
    cluster_identifier=config.get("identifier") or "test",
    enable_config_map_mutable=config.get_bool("mutable") if config.get_bool("mutable") is not None else True,
    enable_secret_mutable=True,
)
opts = pulumi.ResourceOptions(provider=provider)

space = Namespace("space", metadata={"name": "space"}, opts=opts)
inside = {"namespace": space.metadata.name}

settings = ConfigMap("settings", metadata=inside, data={"text": text, "a.b": "x"}, opts=opts)
secret = Secret(
    "secret", metadata={"name": "secret", **inside}, string_data={"token": config.require_secret("token")}, opts=opts
)
account = ServiceAccount("account", metadata={"name": "account", **inside}, opts=opts)
role = ClusterRole(
    "role",
    metadata={"name": "test-role"},
    rules=[{"api_groups": [""], "resources": ["pods"], "verbs": ["get"]}],
    opts=opts,
)

server = Service(
    "server", metadata={"name": "server", **inside}, spec={"ports": [{"name": "nfs", "port": 2049}]}, opts=opts
)
EndpointSlice(
    "server-address",
    metadata={"name": "server", "labels": {"kubernetes.io/service-name": "server"}, **inside},
    address_type="IPv4",
    endpoints=[{"addresses": [config.get("address") or "198.18.0.200"]}],
    ports=[{"name": "nfs", "port": 2049}],
    opts=opts,
)
volume = PersistentVolume(
    "volume",
    metadata={"name": "volume"},
    spec={
        "capacity": {"storage": "1Gi"},
        "access_modes": ["ReadWriteMany"],
        "storage_class_name": "",
        "mount_options": [f"timeo={config.get_int('timeo') or 600}"],
        "nfs": {"server": server.spec.cluster_ip, "path": config.get("path") or "/homes"},
        "persistent_volume_reclaim_policy": "Retain",
    },
    opts=opts,
)
claim = PersistentVolumeClaim(
    "claim",
    metadata={"name": "claim", **inside},
    spec={
        "access_modes": ["ReadWriteMany"],
        "storage_class_name": "",
        "volume_name": volume.metadata.name,
        "resources": {"requests": {"storage": "1Gi"}},
    },
    opts=opts,
)


def deployment(name: str, replicas: int, **annotations: str) -> Deployment:
    """Declare a workload whose Pods are never started."""
    labels = {"app": name}
    container = {"name": "main", "image": "example.test/image:1", "env": [{"name": "TEXT", "value": text}]}
    return Deployment(
        name,
        metadata={
            "name": name,
            "annotations": {f"pulumi.com/{key}": value for key, value in annotations.items()},
            **inside,
        },
        spec={
            "replicas": replicas,
            "selector": {"match_labels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
        opts=opts,
    )


deployment("idle", 0, **({"patchForce": "true"} if config.get_bool("forced") else {}))
if config.get_bool("waiting"):
    deployment("waiting", 1, timeoutSeconds=config.get("patience") or "60")

if config.get_bool("job"):
    Job(
        "job",
        metadata={"namespace": "space", "annotations": {"pulumi.com/replaceUnready": "true"}},
        spec={
            "backoff_limit": 0,
            "template": {
                "spec": {"restart_policy": "Never", "containers": [{"name": "main", "image": "registry.test/main:1"}]}
            },
        },
        opts=opts,
    )

if config.get_bool("own_kind"):
    definition = CustomResourceDefinition(
        "widgets",
        metadata={"name": "widgets.example.test"},
        spec={
            "group": "example.test",
            "scope": "Cluster",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "list_kind": "WidgetList"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"open_apiv3_schema": {"type": "object", "x_kubernetes_preserve_unknown_fields": True}},
                }
            ],
        },
        opts=opts,
    )
    CustomResource(
        "widget",
        api_version="example.test/v1",
        kind="Widget",
        metadata={"name": "widget"},
        spec={"size": config.get_int("size") or 3},
        opts=pulumi.ResourceOptions(provider=provider, depends_on=[definition]),
    )
if config.get_bool("twin"):
    ServiceAccount(
        "twin",
        metadata={"name": "account", **inside},
        opts=pulumi.ResourceOptions(provider=provider, depends_on=[account]),
    )

pulumi.export("settings", settings.metadata.name)
pulumi.export("cluster_ip", server.spec.cluster_ip)
pulumi.export("volume_server", volume.spec.nfs.server)
