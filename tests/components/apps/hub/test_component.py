"""Promises of the hub's resources."""

import json
from ipaddress import IPv4Network
from typing import Any, Final, get_args

import kubernetes_validate
import pulumi
import pytest

from components.apps.hub.component import Hub
from components.apps.hub.database import database_host
from components.apps.hub.site_json import config_files
from components.contracts.routes import Route
from components.contracts.watched import ScrapeTarget
from stacks.load import parse_settings
from stacks.settings import Site
from stacks.settings.logins import AnyLogin
from stacks.versions import SITE
from tests.components.world import ANSWERS, World
from tests.programs.hub.asking import site
from tests.recorded import Recorded, Registration, record
from tests.stacks.logins import GITHUB, PROVIDERS
from tests.stacks.sites import ROOT, changed, tree

MINOR: Final = ".".join(SITE["kubernetes"].split(".")[:2])
DEPLOYMENT: Final = "kubernetes:apps/v1:Deployment"
POLICY: Final = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
SECRET: Final = "kubernetes:core/v1:Secret"


def program(settings: Site) -> Recorded:
    """Register a hub; the program's result is what the hub hands to others."""

    def run() -> pulumi.Output[dict[str, Any]]:
        world = World(settings)
        hub = Hub(
            "hub",
            settings,
            world.secrets,
            homes=world.homes,
            cluster=world.cluster,
            namespaces=world.spaces,
            machines=world.machines,
        )
        return pulumi.Output.from_input({**_route(hub.route), **_scrape(*hub.watched.scrape)})

    return record(run, outputs=ANSWERS)


def _route(route: Route) -> dict[str, pulumi.Input[Any]]:
    return {"host": route.host, "namespace": route.namespace, "address": route.address, "port": route.port}


def _scrape(target: ScrapeTarget) -> dict[str, pulumi.Input[Any]]:
    return {"job": target.job, "addresses": list(target.addresses), "path": target.path, "name": target.server_name}


@pytest.fixture(scope="module")
def hub() -> Recorded:
    return program(site())


def objects(recorded: Recorded) -> list[Registration]:
    return [each for each in recorded if each.type.startswith("kubernetes:")]


def pod(recorded: Recorded, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = recorded.one(name, DEPLOYMENT).inputs["spec"]["template"]["spec"]
    return spec


def test_every_object_fits_its_schema(hub: Recorded) -> None:
    for each in objects(hub):
        named = {**each.inputs, "metadata": {"name": "given-by-the-provider", **each.inputs["metadata"]}}
        kubernetes_validate.validate(named, MINOR, strict=True)
        assert each.parent_name == "hub"


def test_secrets_are_in_secrets_alone(hub: Recorded) -> None:
    for each in objects(hub):
        assert bool(each.secret_keys) == (each.type == SECRET), each.name
    keys = hub.one("hub-keys").inputs["stringData"]
    assert set(keys) == {
        "proxy-token",
        "cookie-secret",
        "crypt-keys",
        "metrics-token",
        "shared-password",
        "homes-ca.crt",
        "homes-client.crt",
        "homes-client.key",
    }


def test_proxy_knows_its_token_and_no_other_secret(hub: Recorded) -> None:
    assert set(hub.one("hub-proxy-token").inputs["stringData"]) == {"token"}
    volumes = pod(hub, "hub-proxy").get("volumes", [])
    assert not volumes


def test_native_login_has_no_shared_password() -> None:
    keys = program(site(login="native")).one("hub-keys").inputs["stringData"]
    assert "shared-password" not in keys


@pytest.mark.parametrize("login", ["native", "dummy", *PROVIDERS.values()], ids=["native", "dummy", *PROVIDERS])
def test_every_way_to_log_in_has_its_fragment_and_its_secrets(login: str | dict[str, Any]) -> None:
    settings = site(login=login)
    made = program(settings)
    files = made.one("hub-config").inputs["data"]
    assert files["21-login.py"] == (ROOT / "programs/hub/logins" / settings.hub.login.fragment).read_text()
    assert set(settings.hub.login.modules) <= set(files)
    kept = made.one("hub-keys").inputs["stringData"]
    for name in settings.hub.login.secrets:
        assert kept[name]
        assert any(f'secret("{name}")' in text for text in files.values())


def test_every_way_to_log_in_is_tried() -> None:
    (union, *_) = get_args(AnyLogin)
    assert {each.model_fields["type"].default for each in get_args(union)} == {"native", "dummy", *PROVIDERS}


def test_site_without_a_provider_says_nothing_of_one() -> None:
    """The files of a site whose hub knows people by itself change only where they have to."""
    for login in ("native", "dummy"):
        files = program(site(login=login)).one("hub-config").inputs["data"]
        assert not {"membership.py", "provider.py"} & set(files)
        assert set(json.loads(files["site.json"])["login"]) <= {"type", "enable_signup"}


def way_out(recorded: Recorded) -> list[dict[str, Any]]:
    """Return the destinations that the hub may reach on port 443."""
    (policy,) = [each for each in recorded.all(POLICY) if each.name == "hub-hub-policy"]
    rules = [each for each in policy.inputs["spec"]["egress"] if [port["port"] for port in each["ports"]] == [443]]
    return [peer["ipBlock"] for rule in rules for peer in rule["to"]]


def test_hub_reaches_its_provider_and_nothing_that_is_inside() -> None:
    (block,) = way_out(program(site(login=GITHUB)))
    assert block["cidr"] == "0.0.0.0/0"
    hidden = [IPv4Network(each) for each in block["except"]]
    network = site().network
    for inner in (network.machines, network.pods, network.services, network.load_balancers, "169.254.169.254/32"):
        assert any(IPv4Network(inner).subnet_of(each) for each in hidden), inner


def test_hub_reaches_the_addresses_of_its_provider_alone_where_they_are_named() -> None:
    named = program(site(login={**GITHUB, "networks": ["140.82.112.0/20", "10.1.2.3/32", "10.0.0.0/8"]}))
    assert way_out(named) == [{"cidr": "140.82.112.0/20"}, {"cidr": "10.1.2.3/32"}, {"cidr": "10.0.0.0/8"}]
    around = program(site(login={**GITHUB, "networks": ["198.16.0.0/14"]}))
    (block,) = way_out(around)
    network = site().network
    hidden = [IPv4Network(each) for each in block["except"]]
    for inner in (network.machines, network.pods, network.services, network.load_balancers):
        assert any(inner.subnet_of(each) for each in hidden), inner


@pytest.mark.parametrize("login", ["native", "dummy"])
def test_hub_that_knows_people_by_itself_has_no_way_out(login: str) -> None:
    assert way_out(program(site(login=login))) == []


def test_values_reach_the_fragments(hub: Recorded) -> None:
    data = hub.one("hub-config").inputs["data"]
    values = json.loads(data["site.json"])
    assert values["hub_url"] == "http://hub.hub.svc.cluster.local:8081"
    assert values["users_namespace"] == "users"
    assert values["homes"]["claim"] == "homes"
    assert values["homes"]["provisioner_url"] == "https://198.18.0.200:8443"
    assert set(data) == {"site.json", *config_files(site().hub)}


def test_proxy_asks_its_own_pod_for_pages_of_errors(hub: Recorded) -> None:
    """As it has none where the hub is away as well."""
    proxy, pages = pod(hub, "hub-proxy")["containers"]
    port, hubs_own = pages["command"][-2:]
    assert f"--error-target=http://127.0.0.1:{port}" in proxy["command"]
    assert hubs_own == next(each for each in proxy["command"] if "default" in each).partition("=")[2] + "/hub/error"
    assert pages["image"] == proxy["image"]
    assert "env" not in pages, "nor the proxy's token"


def test_hub_and_proxy_restart_one_without_the_other(hub: Recorded) -> None:
    server, proxy = hub.one("hub-server"), hub.one("hub-proxy")
    for each in (server, proxy):
        assert each.inputs["spec"]["strategy"] == {"type": "Recreate"}
        assert each.inputs["spec"]["replicas"] == 1
    assert "hub-config" not in proxy.depends_on_names
    assert "hub-keys" not in proxy.depends_on_names


@pytest.mark.parametrize("deployment", ["hub-server", "hub-proxy"])
def test_no_pod_starts_before_the_policies(hub: Recorded, deployment: str) -> None:
    policies = {f"hub-{whose}-policy" for whose in ("hub", "proxy", "servers")}
    assert policies <= hub.one(deployment).depends_on_names


def test_changed_content_gets_a_new_object(hub: Recorded) -> None:
    for name in ("hub-config", "hub-keys", "hub-proxy-token"):
        each = hub.one(name)
        assert "name" not in each.inputs["metadata"], f"{name} would change under a running pod"
        assert each.inputs["immutable"] is True


@pytest.mark.parametrize("name", ["hub-server", "hub-proxy"])
def test_update_starts_what_was_scaled_by_hand(hub: Recorded, name: str) -> None:
    made = hub.one(name).inputs
    assert made["spec"]["replicas"] == 1
    assert made["metadata"]["annotations"] == {"pulumi.com/patchForce": "true"}, "see tests/engine/test_kubernetes.py"


@pytest.mark.parametrize("name", ["hub-server", "hub-proxy"])
def test_pods_are_restricted(hub: Recorded, name: str) -> None:
    spec = pod(hub, name)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert "fsGroup" not in spec["securityContext"]
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["readOnlyRootFilesystem"] is True
        assert container["resources"]["requests"]


def test_only_the_hub_may_talk_to_the_api_server(hub: Recorded) -> None:
    assert pod(hub, "hub-proxy")["automountServiceAccountToken"] is False
    (role,) = hub.all("kubernetes:rbac.authorization.k8s.io/v1:Role")
    assert role.inputs["metadata"]["namespace"] == "users"
    allowed = {(name, verb) for rule in role.inputs["rules"] for name in rule["resources"] for verb in rule["verbs"]}
    looks = {"get", "list", "watch"}
    assert allowed == {("pods", verb) for verb in looks | {"create", "delete"}} | {("events", verb) for verb in looks}
    (everywhere,) = hub.all("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole")
    (rule,) = everywhere.inputs["rules"]
    assert (rule["resources"], rule["verbs"]) == (["nodes"], ["get", "list"])


def test_database_is_kept_on_its_machine(hub: Recorded) -> None:
    volume, claim = hub.one("hub-database-volume"), hub.one("hub-database-claim")
    for each in (volume, claim):
        assert each.protect
        assert each.retain_on_delete
    assert volume.inputs["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    assert "nfs" not in volume.inputs["spec"], "sqlite's locks do not hold on NFS"
    (term,) = volume.inputs["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"][0]["values"] == ["chick1"]
    assert volume.inputs["spec"]["claimRef"]["name"] == claim.inputs["metadata"]["name"]
    command = hub.one("chick1-hub-database-command")
    assert command.urn in volume.depends_on or "chick1-hub-database" in volume.depends_on_names
    assert volume.inputs["spec"]["local"]["path"] in command.inputs["create"]


@pytest.mark.parametrize(
    ("added", "chosen", "keeps"),
    [("chick9", None, "chick1"), ("chick00", None, "chick00"), ("chick00", "chick1", "chick1")],
    ids=["a later name", "an earlier name", "an earlier name, the old one chosen"],
)
def test_database_is_on_the_first_worker_by_name_unless_another_is_chosen(
    added: str, chosen: str | None, keeps: str
) -> None:
    """The engine sorts the settings' keys, so their order in the file cannot decide."""
    one = tree("dev")
    host = {
        **one["hosts"]["chick1"],
        "address": "198.18.0.110",
        "host_key": f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{'A' * 43}",
    }
    changes = {"hosts": {added: host}, "hub": {"database_host": chosen}}
    assert database_host(parse_settings(changed(one, changes))) == keeps


def test_user_pods_reach_dns_the_hub_the_proxy_and_the_internet(hub: Recorded) -> None:
    policy = hub.one("hub-servers-policy").inputs
    assert policy["metadata"]["namespace"] == "users"
    assert policy["spec"]["podSelector"].get("matchLabels", {}) == {}
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    reached = [
        (_peer(to), [port["port"] for port in rule.get("ports", [])])
        for rule in policy["spec"]["egress"]
        for to in rule["to"]
    ]
    assert reached == [
        ("kube-system/kube-dns", [53, 53]),
        ("hub/hub", [8081]),
        ("hub/proxy", [8000]),
        ("0.0.0.0/0", []),
    ]


def test_the_internet_has_nothing_of_the_sites_in_it(hub: Recorded) -> None:
    network = site().network
    (block,) = [
        to["ipBlock"]
        for rule in hub.one("hub-servers-policy").inputs["spec"]["egress"]
        for to in rule["to"]
        if "ipBlock" in to
    ]
    excepted = set(block["except"])
    for own in (network.machines, network.pods, network.services, network.load_balancers):
        assert _covered(str(own), excepted), own
    for private in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.169.254/32"):
        assert _covered(private, excepted), private
    assert not _covered("151.101.0.223/32", excepted)


def test_user_pods_are_reached_by_hub_and_proxy_alone(hub: Recorded) -> None:
    (rule,) = hub.one("hub-servers-policy").inputs["spec"]["ingress"]
    assert [_peer(peer) for peer in rule["from"]] == ["hub/*"]


def test_hub_reaches_the_api_server_and_the_provisioner_and_no_other_machine(hub: Recorded) -> None:
    machines = [(_peer(to), ports) for to, ports in _egress(hub, "hub-hub-policy") if "ipBlock" in to]
    assert machines == [("198.18.0.100/32", [6443]), ("198.18.0.200/32", [8443])]


def test_only_the_hub_tells_the_proxy_its_routes(hub: Recorded) -> None:
    rules = hub.one("hub-proxy-policy").inputs["spec"]["ingress"]
    by_port = {rule["ports"][0]["port"]: [_peer(peer) for peer in rule["from"]] for rule in rules}
    assert by_port == {8000: ["edge/*", "users/*"], 8001: ["hub/hub"]}


def test_services_are_found_by_name(hub: Recorded) -> None:
    services = {
        each.inputs["metadata"]["name"]: each.inputs["spec"]["ports"][0]["port"]
        for each in hub.all("kubernetes:core/v1:Service")
    }
    assert services == {"hub": 8081, "proxy-api": 8001, "proxy-public": 80}


def test_others_are_told_where_the_hub_is(hub: Recorded) -> None:
    assert hub.result == {
        "host": "hub.henhouse.localhost",
        "namespace": "hub",
        "address": "198.18.32.7",
        "port": 80,
        "job": "jupyterhub",
        "addresses": ["hub.henhouse.localhost:443"],
        "path": "/hub/metrics",
        "name": "hub.henhouse.localhost",
    }


def test_images_are_the_settings(hub: Recorded) -> None:
    settings = site().hub
    assert pod(hub, "hub-server")["containers"][0]["image"] == settings.image
    assert pod(hub, "hub-proxy")["containers"][0]["image"] == settings.proxy_image


def _egress(recorded: Recorded, policy: str) -> list[tuple[dict[str, Any], list[int]]]:
    """Every peer that a policy lets its pods connect to, with the ports there; none means any."""
    rules = recorded.one(policy).inputs["spec"]["egress"]
    return [(peer, [port["port"] for port in rule.get("ports", [])]) for rule in rules for peer in rule["to"]]


def _peer(peer: dict[str, Any]) -> str:
    """namespace/component of a policy's peer, or its addresses."""
    if "ipBlock" in peer:
        return str(peer["ipBlock"]["cidr"])
    namespace = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    labels = peer["podSelector"].get("matchLabels", {})
    return f"{namespace}/{labels.get('app.kubernetes.io/component') or labels.get('k8s-app') or '*'}"


def _covered(network: str, by: set[str]) -> bool:
    return any(IPv4Network(network).subnet_of(IPv4Network(other)) for other in by)
