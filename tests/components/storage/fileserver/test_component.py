"""Promises of NfsFileserver."""

from collections.abc import Callable
from typing import Any, Final

import kubernetes_validate
import pulumi
import pytest
from pulumi_kubernetes import Provider
from pulumi_kubernetes.core.v1 import ConfigMap

from components.contracts.cluster import KubernetesAccess, Namespaces
from components.contracts.machines import Machine, SshTarget
from components.contracts.storage import Dataset
from components.storage.fileserver.component import NfsFileserver
from stacks.load import parse_settings
from stacks.secrets import SiteSecrets
from stacks.settings import Site
from stacks.settings.shares import gid_of
from stacks.versions import SITE
from tests.recorded import Recorded, Registration
from tests.stacks.sites import changed, tree

ADDRESS = "198.18.47.9"
ANSWERS: dict[str, dict[str, Any]] = {
    "homes-service": {"spec": {"clusterIP": ADDRESS}},
    "tls:index/privateKey:PrivateKey": {"privateKeyPem": "5ec2e7-key"},
    "tls:index/selfSignedCert:SelfSignedCert": {"certPem": "5ec2e7-authority"},
    "tls:index/certRequest:CertRequest": {"certRequestPem": "5ec2e7-request"},
    "tls:index/locallySignedCert:LocallySignedCert": {"certPem": "5ec2e7-certificate"},
    "random:index/randomPassword:RandomPassword": {"result": "password"},
}


def program(site: Site) -> dict[str, Any]:
    pool = pulumi.ComponentResource("test:index:Pool", "pool")
    ready = pulumi.ComponentResource("test:index:Ready", "ready")
    ConfigMap("network", opts=pulumi.ResourceOptions(parent=ready))
    machines = {
        name: Machine(name, each, SshTarget.of(name, each, site.access), ready, "0" * 32)
        for name, each in site.hosts.items()
    }
    machine = machines["hen"]
    ConfigMap("disks", opts=pulumi.ResourceOptions(parent=pool))
    homes = NfsFileserver(
        "homes",
        site,
        SiteSecrets("secrets", site),
        dataset=Dataset("nest/homes", "/nest/homes", "nest-homes.mount", machine, pool),
        shares={
            name: Dataset(f"nest/{name}", f"/nest/{name}", f"nest-{name}.mount", machine, pool)
            for name in sorted(site.storage.shares)
        },
        machines=machines,
        cluster=KubernetesAccess(Provider("provider", cluster_identifier="test", kubeconfig="{}"), ready),
        namespaces=Namespaces(*map(pulumi.Output.from_input, ("hub", "users", "edge", "storage"))),
    )
    ConfigMap("who-waits-for-the-homes", opts=pulumi.ResourceOptions(depends_on=[*homes.volume.ready]))
    volume = homes.volume
    return {
        "server": homes.server,
        "namespace": volume.namespace,
        "claim": volume.claim,
        "provisioner": volume.provisioner.url,
        "certificate": volume.provisioner.client_certificate,
        "openings": [opening.as_data() for opening in homes.openings],
        "shares": [vars(share) for share in homes.shares],
    }


@pytest.fixture
def recorded(record: Callable[..., Recorded]) -> Recorded:
    return record(lambda: program(parse_settings(tree("dev"))), outputs=ANSWERS)


def objects(recorded: Recorded) -> list[Registration]:
    return [each for each in recorded.all(parent="homes") if each.type.startswith("kubernetes:")]


def test_volume_follows_the_service(recorded: Recorded) -> None:
    volume = recorded.one("homes-volume")
    assert volume.inputs["spec"]["nfs"] == {"server": ADDRESS, "path": "/nest/homes"}
    assert recorded.one("homes-service").urn in volume.depends_on
    assert recorded.result["server"] == ADDRESS


def test_service_has_no_selector_and_leads_to_the_machine(recorded: Recorded) -> None:
    service, slice = recorded.one("homes-service"), recorded.one("homes-endpoints")
    assert "selector" not in service.inputs["spec"]
    assert slice.inputs["metadata"]["labels"]["kubernetes.io/service-name"] == service.inputs["metadata"]["name"]
    assert slice.inputs["metadata"]["namespace"] == service.inputs["metadata"]["namespace"] == "storage"
    assert slice.inputs["endpoints"] == [{"addresses": ["198.18.0.200"], "conditions": {"ready": True}}]
    assert {(port["name"], port["port"]) for port in slice.inputs["ports"]} == {
        (port["name"], port["targetPort"]) for port in service.inputs["spec"]["ports"]
    }


@pytest.mark.parametrize("address", [None, "198.18.33.7"])
def test_services_address_is_the_settings(record: Callable[..., Recorded], address: str | None) -> None:
    settings = changed(tree("dev"), {"storage": {"homes": {"service_address": address}}})
    recorded = record(lambda: program(parse_settings(settings)), outputs=ANSWERS)
    assert recorded.one("homes-service").inputs["spec"].get("clusterIP") == address


def test_claim_and_volume_belong_to_each_other(recorded: Recorded) -> None:
    volume, claim = recorded.one("homes-volume"), recorded.one("homes-claim")
    reference = volume.inputs["spec"]["claimRef"]
    named = {"namespace": reference["namespace"], "name": reference["name"]}
    assert claim.inputs["metadata"] == named == {"namespace": "users", "name": "homes"}
    assert claim.inputs["spec"]["volumeName"] == volume.inputs["metadata"]["name"]
    assert claim.inputs["spec"]["storageClassName"] == volume.inputs["spec"]["storageClassName"] == ""


def test_volume_keeps_its_data_and_waits_for_its_server(recorded: Recorded) -> None:
    spec = recorded.one("homes-volume").inputs["spec"]
    assert spec["persistentVolumeReclaimPolicy"] == "Retain"
    assert {"nfsvers=4.2", "hard", "nosuid", "nodev"} <= set(spec["mountOptions"])
    assert not {"soft", "nolock", "local_lock=all"} & set(spec["mountOptions"])


def test_what_leads_to_data_outlives_the_program(recorded: Recorded) -> None:
    for name in ("homes-service", "homes-volume", "homes-claim", "hen-nfs", "hen-nfs-command"):
        assert recorded.one(name).protect, name
        assert recorded.one(name).retain_on_delete, name


def test_nothing_is_mounted_before_it_is_exported(recorded: Recorded) -> None:
    assert "hen-nfs-command" in recorded.one("homes-volume").depends_on_names
    assert "disks" in recorded.one("hen-nfs-command").depends_on_names
    assert "disks" in recorded.one("hen-homes-command").depends_on_names


def test_cluster_comes_first(recorded: Recorded) -> None:
    for each in objects(recorded):
        assert "network" in each.depends_on_names, each.name


def test_key_of_the_provisioner_goes_by_standard_input(recorded: Recorded) -> None:
    command = recorded.one("hen-homes-command")
    assert "stdin" in command.secret_keys
    assert "5ec2e7-key" not in command.inputs["create"]


def test_provisioner_answers_by_address_to_the_hub_alone(recorded: Recorded) -> None:
    assert recorded.result["provisioner"] == "https://198.18.0.200:8443"
    assert recorded.one("secrets-homes-maker-request").inputs["ipAddresses"] == ["198.18.0.200"]
    client = recorded.one("secrets-homes-client")
    assert client.inputs["allowedUses"] == ["digital_signature", "client_auth"]
    subject = recorded.one("secrets-homes-client-request").inputs["subject"]
    assert f"--client {subject['commonName']}" in recorded.one("hen-homes-command").inputs["create"]


def test_objects_fit_their_schema(recorded: Recorded) -> None:
    minor = SITE["kubernetes"].rpartition(".")[0]
    found = objects(recorded)
    assert len(found) == 4
    for each in found:
        kubernetes_validate.validate(each.inputs, minor, strict=True)


def test_only_workers_have_a_reason_to_connect(recorded: Recorded) -> None:
    reasons = {each["port"]: (each["what"], each["sources"]) for each in recorded.result["openings"]}
    assert reasons == {
        2049: ("NFS", ["198.18.0.102/32"]),
        8443: ("home provisioner", ["198.18.0.101/32"]),
    }


SHARES: Final = {
    "project": {"access": "read-write", "groups": ["astronomy"], "mount_path": "/srv/project"},
    "datasets": {},
}


@pytest.fixture
def shared(record: Callable[..., Recorded]) -> Recorded:
    settings = changed(tree("dev"), {"storage": {"shares": SHARES}})
    return record(lambda: program(parse_settings(settings)), outputs=ANSWERS)


def test_every_share_has_a_volume_that_follows_the_service(shared: Recorded) -> None:
    for name, more in (("datasets", ["ro"]), ("project", [])):
        volume, claim = shared.one(f"homes-share-{name}-volume"), shared.one(f"homes-share-{name}-claim")
        spec = volume.inputs["spec"]
        assert spec["nfs"] == {"server": ADDRESS, "path": f"/nest/{name}"}
        assert spec["mountOptions"] == [*shared.one("homes-volume").inputs["spec"]["mountOptions"], *more]
        assert spec["claimRef"]["name"] == claim.inputs["metadata"]["name"] == f"share-{name}"
        assert claim.inputs["metadata"]["namespace"] == spec["claimRef"]["namespace"] == "users"
        assert claim.inputs["spec"]["volumeName"] == volume.inputs["metadata"]["name"]
        assert spec["persistentVolumeReclaimPolicy"] == "Retain"
        assert {"hen-nfs-command", "network"} <= volume.depends_on_names
        for each in (volume, claim):
            assert each.protect, each.name
            assert each.retain_on_delete, each.name


def test_objects_of_shares_fit_their_schema(shared: Recorded) -> None:
    minor = SITE["kubernetes"].rpartition(".")[0]
    assert len(objects(shared)) == 4 + 2 * len(SHARES)
    for each in objects(shared):
        kubernetes_validate.validate(each.inputs, minor, strict=True)


def test_share_belongs_to_its_group_before_it_has_a_volume(shared: Recorded) -> None:
    for name, group in (("project", gid_of("project")), ("datasets", 0)):
        role = shared.one(f"hen-share-{name}-command")
        assert "disks" in role.depends_on_names
        assert f"chown 0:{group} /nest/{name}\n" in role.inputs["create"]
        assert role.name in shared.one(f"homes-share-{name}-volume").depends_on_names


def test_share_that_is_not_mounted_keeps_neither_homes_nor_other_shares_away(shared: Recorded) -> None:
    """Wherever it fails to be mounted, nothing but its own volume comes after it."""
    for name in SHARES:
        after = {each.name for each in shared if f"hen-share-{name}-command" in each.depends_on_names}
        assert after <= {f"homes-share-{name}-{kind}" for kind in ("volume", "claim")}
        for role in ("hen-nfs", "hen-homes"):
            assert f"mountpoint --quiet /nest/{name}" not in shared.one(f"{role}-command").inputs["create"]


def test_the_hub_is_told_whose_a_share_is(shared: Recorded) -> None:
    assert shared.result["shares"] == [
        {
            "name": "datasets",
            "claim": "share-datasets",
            "mount_path": "/datasets",
            "read_only": True,
            "groups": (),
            "write_groups": (),
            "gid": None,
        },
        {
            "name": "project",
            "claim": "share-project",
            "mount_path": "/srv/project",
            "read_only": False,
            "groups": ("astronomy",),
            "write_groups": (),
            "gid": gid_of("project"),
        },
    ]


def test_changed_share_changes_nothing_that_the_cluster_cannot_change(record: Callable[..., Recorded]) -> None:
    """Kubernetes refuses another source of a volume and another spec of a claim, and both are protected."""
    found = []
    for access, quota in (("read-only", "1Gi"), ("read-write", None)):
        share = {"datasets": {"access": access, "quota": quota, "mount_path": f"/{access}"}}
        settings = parse_settings(changed(tree("dev"), {"storage": {"shares": share}}))
        recorded = record(lambda settings=settings: program(settings), outputs=ANSWERS)
        volume = dict(recorded.one("homes-share-datasets-volume").inputs["spec"])
        found.append((volume.pop("mountOptions"), volume, recorded.one("homes-share-datasets-claim").inputs))
    (read, *before), (write, *after) = found
    assert before == after
    assert [*write, "ro"] == read
