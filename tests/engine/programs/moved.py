"""Objects of the kinds whose inputs have two spellings, and of a custom kind; the cluster is there from the start."""

import pulumi
from pulumi_kubernetes import Provider
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import ConfigMap, PersistentVolume, PersistentVolumeClaim, Secret
from pulumi_kubernetes.networking.v1 import NetworkPolicy

config = pulumi.Config()
token = config.require_secret("token")
provider = Provider(
    "cluster",
    kubeconfig=config.require_secret("kubeconfig"),
    cluster_identifier="test",
    enable_config_map_mutable=True,
    enable_secret_mutable=True,
)
opts = pulumi.ResourceOptions(provider=provider)
inside = {"namespace": "space"}

if config.get_bool("objects"):
    ConfigMap("settings", metadata=inside, data={"text": config.get("text") or "one"}, opts=opts)
    ConfigMap("hidden", metadata={"name": "hidden", **inside}, data={"a": token}, opts=opts)
    Secret("secret", metadata={"name": "secret", **inside}, string_data={"a": token}, opts=opts)
    PersistentVolume(
        "volume",
        metadata={"name": "volume"},
        spec={
            "capacity": {"storage": "1024Gi"},
            "access_modes": ["ReadWriteMany"],
            "storage_class_name": "",
            "nfs": {"server": "198.18.0.200", "path": "/homes"},
        },
        opts=opts,
    )
    PersistentVolumeClaim(
        "claim",
        metadata={"name": "claim", **inside},
        spec={"access_modes": ["ReadWriteMany"], "storage_class_name": "", "volume_name": "volume"},
        opts=opts,
    )
    NetworkPolicy(
        "policy",
        metadata={"name": "policy", **inside},
        spec={"pod_selector": {"match_labels": {}}, "policy_types": ["Ingress"], "ingress": []},
        opts=opts,
    )
    for name in ("one", "other"):
        CustomResource(
            f"pool-{name}",
            api_version="example.test/v1",
            kind="Pool",
            metadata={"name": name, **inside},
            spec={"size": 0, "labels": {}},
            opts=opts,
        )
