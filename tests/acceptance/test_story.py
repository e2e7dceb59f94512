"""One site's story, in order: built, used, broken, repaired and struck by a power cut; test_taken_down.py ends it."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from functools import partial
from ipaddress import ip_address, ip_network
from typing import Any, Final

import pytest

from converge.state import applied_roles
from tests.acceptance.secrets import REVEALED_IN, secret_values, where_found
from tests.acceptance.site import (
    HOSTS,
    Clock,
    accepts,
    changes,
    connects,
    drift,
    in_the_pod,
    inside,
    kubectl,
    lab,
    make,
    make_cut_short,
    on,
    output,
    password,
    pulumi,
    state,
)
from tests.acceptance.strangers import computer_at, route, scan
from tests.browser.session import GATEWAY, HUB, login_page, open_notebook
from tests.stacks.sites import tree
from tests.tools import eventually

pytestmark = pytest.mark.rack

USER: Final = "ada"
OTHER: Final = "grace"
FILE: Final = "proof.txt"
HOMES: Final = "/nest/homes"
CAMPUS: Final = "198.18.0.1"
NEIGHBOUR: Final = "198.18.0.66"
NETWORK: Final = tree("dev")["network"]
FORGED: Final = "203.0.113.66"
"""Of a network for documentation (RFC 5737): no host has it."""


def test_a_site_comes_up_from_nothing_interrupted_once(clock: Clock) -> None:
    make("down")
    with clock.timing("make up from nothing, interrupted while kubeadm makes the cluster, and again"):
        assert make_cut_short("up", when="cluster: it does not hold -> it holds") != 0
        built = make("up")
    addresses = set(re.findall(r"https://[\w.:-]*henhouse[\w.:-]*", built.stdout))
    assert addresses == {"https://hub.henhouse.localhost:8443"}, "one address, which opens on this computer"
    assert "any name" in built.stdout


def test_a_second_up_changes_nothing(clock: Clock) -> None:
    with clock.timing("make up, unchanged"):
        again = make("up")
    assert set(changes(again.stdout)) == {"unchanged"}


def test_volume_follows_the_service() -> None:
    resources = state()["deployment"]["resources"]
    (volume,) = [each for each in resources if each["type"] == "kubernetes:core/v1:PersistentVolume" and _nfs(each)]
    (service,) = [each for each in resources if each["urn"].endswith("Service::homes-service")]
    assert _nfs(volume)["server"] == service["outputs"]["spec"]["clusterIP"]
    assert service["urn"] in volume["dependencies"]


def _nfs(resource: dict[str, Any]) -> Any:
    return resource["inputs"]["spec"].get("nfs")


def test_people_log_in_and_save_files(clock: Clock) -> None:
    with clock.timing("login → notebook → file, the first person"):
        _write_file(USER, "first", outside=True)
    assert on("hen", f"cat {HOMES}/{USER}/{FILE}").strip() == "first"
    with clock.timing("login → notebook → file, another person"):
        _write_file(OTHER, "hers")


def _write_file(user: str, text: str, *, outside: bool = False) -> None:
    with open_notebook(user, password(), outside=outside) as page:
        page.run(f"open('{FILE}', 'w').write('{text}')")
        page.expect_output(str(len(text)))


def test_file_came_over_nfs_4_2_to_the_dataset() -> None:
    assert on("hen", f"stat -f -c %T {HOMES}/{USER}").strip() == "zfs"
    assert on("hen", f"zfs list -H -o name {HOMES}/{USER}").strip() == "nest/homes"
    (mounted,) = {line for line in in_the_pod(USER, "cat /proc/mounts").splitlines() if " nfs4 " in line}
    assert "vers=4.2" in mounted


def test_person_has_a_name_in_the_notebook() -> None:
    """Their number is in no image's passwd; without a name whoami, ssh and getpass fail."""
    assert in_the_pod(USER, "whoami").strip() == USER
    assert in_the_pod(USER, "python3 -c 'import getpass; print(getpass.getuser())'").strip() == USER
    assert set(in_the_pod(USER, "id -Gn").split()) == {USER, "users"}


def test_greeting_of_a_machine_does_not_hinder_drift() -> None:
    """Bash reads .bashrc when sshd runs a command."""
    on("chick1", "echo 'echo hello; echo \"{\"' >>/root/.bashrc")
    assert not any(drift().values())
    on("chick1", "systemctl stop prometheus-node-exporter")
    assert make("repair").returncode == 0
    on("chick1", "sed -i /hello/d /root/.bashrc")


def test_home_is_its_owners_alone() -> None:
    mode, owner = on("hen", f"stat -c '%a %u' {HOMES}/{USER}").split()
    other = on("hen", f"stat -c %u {HOMES}/{OTHER}").strip()
    assert mode == "700"
    assert owner != other
    assert in_the_pod(OTHER, "id -u").strip() == other
    as_other = f"setpriv --reuid {other} --regid {other} --clear-groups cat {HOMES}/{USER}/{FILE} 2>&1 || true"
    assert "Permission denied" in on("hen", as_other)


def test_login_page_and_the_browsers_address() -> None:
    assert eventually("the login page", login_page, seconds=120)
    log = kubectl("--namespace", "hub", "logs", "deployment/hub")
    assert re.search(r"/hub/login \(@(::ffff:)?198\.18\.0\.1\)", log), "the hub logs another address than the browser's"


def test_everything_is_watched() -> None:
    # A single answer may be late on two cores that do everything at once.
    eventually("answers of all targets", lambda: not _down(), seconds=180)


def _down() -> list[str]:
    asked = on("rooster", "curl --silent --fail http://127.0.0.1:9090/api/v1/targets?state=active")
    return [each["scrapeUrl"] for each in json.loads(asked)["data"]["activeTargets"] if each["health"] != "up"]


def test_machines_listen_where_a_room_said_so_and_nowhere_else() -> None:
    declared = {(each["machine"], each["protocol"], each["port"]) for each in output("openings")}
    found = {(host, *each) for host in HOSTS for each in _listening(host)}
    assert found == declared


def _listening(host: str) -> set[tuple[str, int]]:
    """Return protocol and port of what others can reach."""
    lines = [line.split() for line in on(host, "ss -Hlntu").splitlines()]
    addresses = [(protocol, *local.rsplit(":", 1)) for protocol, _, _, _, local, *_ in lines]
    return {(protocol, int(port)) for protocol, address, port in addresses if not _LOOPBACK.match(address)}


@pytest.mark.parametrize("stranger", [CAMPUS, NEIGHBOUR])
def test_strangers_reach_what_is_declared_for_them_and_nothing_else(stranger: str, clock: Clock) -> None:
    """One on the campus, and a computer that was plugged in beside the machines."""
    addresses = {each["address"]: name for name, each in HOSTS.items()}
    with (
        clock.timing(f"scan of every port of every machine from {stranger}"),
        computer_at(NEIGHBOUR, NETWORK["machines"]),
    ):
        found = scan(stranger, list(addresses))
    answering = {(addresses[address], *port) for address, ports in found.items() for port in ports}
    for machine, protocol, port in sorted(answering):
        print(f"{machine}: {protocol} {port}")
    assert answering == {
        (each["machine"], each["protocol"], each["port"])
        for each in output("openings")
        if any(ip_address(stranger) in ip_network(source) for source in each["sources"])
    }


def test_machines_and_pods_know_machines_by_name() -> None:
    addresses = [each["address"] for each in HOSTS.values()]
    names = " ".join([*HOSTS, *(f"{name}.flock.internal" for name in HOSTS)])
    for host in HOSTS:
        found = on(host, f"for name in {names}; do getent ahostsv4 $name | head --lines=1; done").splitlines()
        assert [line.split()[0] for line in found] == addresses * 2, host
        assert on(host, f"getent hosts {HOSTS['hen']['address']}").split()[1] == "hen.flock.internal"
    look_up = "import socket; print(socket.gethostbyname('hen.flock.internal'))"
    asked = kubectl("--namespace", "hub", "exec", "deployment/hub", "--", "python3", "-c", look_up)
    assert asked.strip() == HOSTS["hen"]["address"]


@pytest.mark.parametrize("through", ["rooster", "chick1", "chick2"])
def test_no_route_leads_a_stranger_to_pods_or_services(through: str) -> None:
    """The file server believes a worker's address, which kube-proxy gives to what comes to a Service from outside."""
    places = {
        NETWORK["pods"]: _words("get", "pods", "-A", "--output", "jsonpath={.items[*].status.podIP}"),
        NETWORK["services"]: _words("get", "services", "-A", "--output", "jsonpath={.items[*].spec.clusterIP}"),
        NETWORK["load_balancers"]: _words("get", "services", "-A", "--output", "jsonpath={..ingress[*].ip}"),
    }
    machines = {each["address"] for each in HOSTS.values()}
    of_pods = _words("get", "pods", "-A", "--output", "jsonpath={.items[*].spec.containers[*].ports[*].containerPort}")
    of_services = _words("get", "services", "-A", "--output", "jsonpath={.items[*].spec.ports[*].port}")
    ports = ",".join(sorted({*of_pods, *of_services}, key=int))
    for inner, addresses in places.items():
        targets = sorted(set(addresses) - machines)
        assert targets, f"nothing to look for in {inner}"
        with route(inner, through=HOSTS[through]["address"]):
            found = scan(CAMPUS, targets, ports)
        assert not any(found.values()), f"{found} answer through {through}"


def _words(*arguments: str) -> list[str]:
    return kubectl(*arguments).split()


def test_only_the_gateway_says_who_the_client_is() -> None:
    """The file server's own words on a client are taken from its PROXY header; a stranger writes one, too."""
    balancer = kubectl("--namespace", "edge", "get", "service", "--output", "jsonpath={..ingress[0].ip}")
    assert not _forges(balancer, through="chick2")
    # The Service refuses strangers also where the packet filter is away.
    on("chick2", "nft delete table inet henhouse")
    assert not _forges(balancer, through="chick2")
    on("chick2", "systemctl reload henhouse-firewall")
    # The gateway's proxy takes no header from a client, and the proxy in the cluster no other word of theirs.
    assert not _forges(GATEWAY)
    header = f"X-Forwarded-For: {FORGED}"
    inside("curl", "-sk", "--resolve", f"{HUB}:443:{GATEWAY}", "-H", header, f"https://{HUB}/hub/login", check=True)
    assert FORGED not in kubectl("--namespace", "hub", "logs", "deployment/hub")


_FORGERY: Final = f"""
import socket, ssl, sys
raw = socket.create_connection((sys.argv[1], 443), timeout=5)
raw.sendall(b"PROXY TCP4 {FORGED} 198.18.0.2 4444 443\\r\\n")
context = ssl._create_unverified_context()
tls = context.wrap_socket(raw, server_hostname="{HUB}")
tls.sendall(b"GET /hub/login HTTP/1.1\\r\\nHost: {HUB}\\r\\nConnection: close\\r\\n\\r\\n")
sys.exit(not tls.recv(1))
"""


def _forges(address: str, *, through: str | None = None) -> bool:
    """Return whether the address answers a connection that begins with a PROXY header of a stranger's."""
    with route(f"{address}/32", through=HOSTS[through]["address"]) if through else nullcontext():
        return inside("python3", "-c", _FORGERY, address, check=False).returncode == 0


def _inside() -> Mapping[str, Mapping[str, str]]:
    """Return what a notebook must not reach by its kind: each place, and a machine that it answers."""
    api = kubectl("--namespace", "default", "get", "service", "kubernetes", "--output", "jsonpath={.spec.clusterIP}")
    files = kubectl("--namespace", "storage", "get", "service", "nfs", "--output", "jsonpath={.spec.clusterIP}")
    return {
        "the API server": {f"{api}:443": "chick2", f"{HOSTS['chick0']['address']}:6443": "chick2"},
        "the file server": {f"{files}:2049": "chick2", f"{HOSTS['hen']['address']}:2049": "chick2"},
        "another person's server": {f"{_pod_address('users', f'jupyter-{OTHER}')}:8888": "chick2"},
        "the machines": {f"{host['address']}:22": "rooster" for host in HOSTS.values()},
    }


def _reached(places: Iterable[str]) -> list[str]:
    return [place for place in places if connects(partial(in_the_pod, USER), place)]


@pytest.mark.parametrize("what", ["the API server", "the file server", "another person's server", "the machines"])
def test_notebook_does_not_reach(what: str) -> None:
    places = _inside()[what]
    deaf = [place for place, sees in places.items() if not connects(partial(on, sees), place)]
    assert not deaf, f"nothing answers at {deaf}, so a refusal there would show nothing"
    assert _reached(places) == []


def test_notebook_reaches_nothing_inside_even_when_its_policies_are_deleted() -> None:
    places = [place for each in _inside().values() for place in each]
    policies = kubectl("--namespace", "users", "get", "networkpolicies", "--output", "json")
    kubectl("--namespace", "users", "delete", "networkpolicies", "--all")
    try:
        assert _reached(places) == []
    finally:
        create = "kubectl --kubeconfig /etc/kubernetes/admin.conf create --filename -"
        on("chick0", f"{create} <<<{shlex.quote(_as_made(policies))}")


def _pod_address(namespace: str, name: str) -> str:
    return kubectl("--namespace", namespace, "get", "pod", name, "--output", "jsonpath={.status.podIP}")


def _as_made(objects: str) -> str:
    """Return what `kubectl get` printed, without what the API server added."""
    listed = json.loads(objects)
    for each in listed["items"]:
        kept = {"name", "namespace", "labels", "annotations"}
        each["metadata"] = {name: value for name, value in each["metadata"].items() if name in kept}
    return json.dumps(listed)


def test_rules_that_lock_the_program_out_are_taken_back(clock: Clock) -> None:
    """Done to a machine with the rack's own kernel, and to one with another."""
    roles = {(each.machine, each.role): each.script for each in applied_roles(state())}
    for host in ("chick1", "hen"):
        locking_out = roles[host, "firewall"].replace('tcp dport 22 counter accept comment "SSH"', "")
        assert locking_out != roles[host, "firewall"]
        with clock.timing(f"{host}: locked out → back in"):
            on(host, locking_out)
            assert not accepts(HOSTS[host]["address"], 22)
            eventually(f"SSH of {host}", partial(accepts, HOSTS[host]["address"], 22), seconds=40)
    repaired = json.loads(make("repair", "FORMAT=--json").stdout)
    assert set(repaired["repaired"]) == {
        f"{host}-{role}-command" for host in ("chick1", "hen") for role in ("firewall", "firewall-kept")
    }
    assert not any(drift().values())


_LOOPBACK: Final = re.compile(r"127\.|\[::1\]|.*%lo$")


def test_used_disk_is_refused_by_name() -> None:
    before = on("hen", "zpool list -H -o guid,health nest")
    spec = json.loads(on("hen", "cat /etc/henhouse/zpool/nest.json"))
    other = {**spec, "name": "other", "vdevs": spec["vdevs"][:1], "log": [], "spares": [], "datasets": {}}
    path = "/run/other.json"
    done = on("hen", f"printf %s {shlex.quote(json.dumps(other))} >{path}; henhouse-zpool apply {path} 2>&1; echo $?")
    words, _, status = done.strip().rpartition("\n")
    assert int(status) != 0
    assert spec["vdevs"][0]["disks"][0] in words
    assert on("hen", "zpool list -H -o guid,health nest") == before


def test_what_was_broken_by_hand_is_named_and_repaired(clock: Clock) -> None:
    on("chick1", "echo '/dev/vdz9 none swap sw 0 0' >>/etc/fstab")
    on("hen", "sed -i 's/root_squash/no_root_squash/' /etc/exports.d/henhouse.exports")
    on("hen", "systemctl stop prometheus-node-exporter")

    with clock.timing("drift of all machines and of the cluster"):
        found = drift()
    assert not found["unseen"]
    broken = {(each["machine"], each["role"]) for each in found["differences"]}
    items = " ".join(sorted(each["item"] for each in found["differences"]))
    assert len(found["differences"]) == 3, items
    assert {machine for machine, _ in broken} == {"chick1", "hen"}
    assert all(word in items for word in ("fstab", "exports", "prometheus-node-exporter"))
    assert make("drift", check=False).returncode != 0

    preview = pulumi("preview", HENHOUSE_PROBE="1")
    assert changes(preview.stdout) == {"update": len(broken), "unchanged": changes(preview.stdout)["unchanged"]}
    for machine, role in broken:
        assert f"{machine}-{role}-command" in preview.stdout

    kubectl("--namespace", "storage", "delete", "endpointslice", "--selector", "kubernetes.io/service-name=nfs")
    repaired = json.loads(make("repair", "FORMAT=--json").stdout)
    of_machines = {f"{machine}-{role}-command" for machine, role in broken}
    assert of_machines < set(repaired["repaired"])
    assert {each["role"] for each in repaired["found"]} == {role for _, role in broken} | {"EndpointSlice"}
    assert not repaired["left"]
    assert not repaired["edits"]
    assert not any(drift().values())
    make("drift")
    assert set(changes(pulumi("preview", HENHOUSE_PROBE="1").stdout)) == {"unchanged"}


def test_everything_comes_back_after_a_power_cut(clock: Clock) -> None:
    lab("power", "cut")
    with clock.timing("power back → login page"):
        lab("power", "on")
        eventually("the login page", login_page, seconds=900)
    # Whoever comes before the file server is back waits for it on the page of their server.
    with clock.timing("login page → notebook"), open_notebook(USER, password()) as page:
        page.run(f"print(open('{FILE}').read())")
        page.expect_output("first")
    assert not any(drift().values())


def test_secrets_are_only_where_they_belong() -> None:
    secrets = secret_values(state())
    assert len(secrets) >= 10
    texts = {
        "the state": pulumi("stack", "export", show=False).stdout,
        "a plan": pulumi("preview", "--diff", show=False).stdout,
    }
    for host in HOSTS:
        texts |= {f"{what} of {host}": on(host, script, check=False) for what, script in REVEALED_IN.items()}
    assert not where_found(secrets, texts)
