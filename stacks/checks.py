"""Checks across settings: what each value alone cannot show. Every check reads the whole tree and yields its
problems."""

import re
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address
from itertools import combinations
from typing import Final
from urllib.parse import unquote

from pydantic import HttpUrl

from programs.homes.names import ACCOUNT_UIDS
from stacks.hub_checks import environment_is_free, roles_of_known_services, secrets_fit, values_fit, volumes_beside_ours
from stacks.interface_checks import INTERFACE_CHECKS
from stacks.menu_checks import MENU_CHECKS
from stacks.network_checks import administrators_of_nat, names_that_lead_on, reserved_for_nodes
from stacks.problems import Problem
from stacks.settings import Site
from stacks.settings.menu import bytes_of
from stacks.settings.monitoring import ALERT_WEBHOOK

Check = Callable[[Site], Iterator[Problem]]

EXCLUSIVE: Final = ("gateway", "storage")
"""Duties that a machine has alone: the gateway and the file server do not run people's code."""
SMALLEST_VDEV: Final = {"mirror": 2, "raidz1": 3, "raidz2": 4, "raidz3": 5}
"""Fewest disks for a vdev to hold data beside its parity (zpoolconcepts(7))."""
RESERVED_POOL_WORDS: Final = ("mirror", "raidz", "draid", "spare", "log")
"""No pool may be named so, or begin with any of the first four (zpool-create(8))."""

OWN_IMAGES: Final = ("registry.k8s.io", "quay.io")
"""Hosts of the images that no setting names: Kubernetes' own (kubeadm) and Calico's."""
KUBERNETES_REPOSITORY: Final = re.compile(
    r"(?:core:/\w+:|/[^/]*(?:kubernetes|k8s)[^/]*(?:/(?:deb|apt|stable))?)/v(?P<minor>[0-9]+\.[0-9]+)(?![0-9.])"
)
"""How pkgs.k8s.io and copies of it name the minor version of their packages."""


def networks_apart(site: Site) -> Iterator[Problem]:
    """Refuse networks that overlap: an address must tell which network it is in."""
    named = {name: getattr(site.network, name) for name in ("machines", "pods", "services", "load_balancers")}
    for (name, network), (other_name, other) in combinations(named.items(), 2):
        if network.overlaps(other):
            yield Problem(f"network.{other_name}", f"{other} overlaps network.{name}, {network}")


BLOCK_PREFIX: Final = 26
"""Calico gives addresses to nodes in blocks of 64."""


def pods_for_every_node(site: Site) -> Iterator[Problem]:
    """Calico gives each node whole blocks; a node that gets none starts no pod."""
    nodes = [host for host in site.hosts.values() if {"worker", "control-plane"} & set(host.duties)]
    pods = site.network.pods
    need = len(nodes) * -(-site.cluster.max_pods // 2 ** (32 - BLOCK_PREFIX))
    blocks = 2 ** (BLOCK_PREFIX - pods.prefixlen)
    if blocks < need:
        smallest = BLOCK_PREFIX - (need - 1).bit_length()
        yield Problem(
            "network.pods",
            f"{pods} has {blocks} blocks of 64 addresses, and {len(nodes)} nodes of {site.cluster.max_pods} pods "
            f"take {need}",
            accepted=f"a network of /{smallest} or larger, or a smaller cluster.max_pods",
        )


def addresses_of_hosts(site: Site) -> Iterator[Problem]:
    """Every machine has an address of its own in the machines' network."""
    owner: dict[IPv4Address, str] = {}
    for name, host in site.hosts.items():
        path = f"hosts.{name}.address"
        network = site.network.machines
        if host.address not in network or host.address in (network.network_address, network.broadcast_address):
            yield Problem(path, f"{host.address} is not a usable address in network.machines", accepted=str(network))
        if host.address in owner:
            yield Problem(path, f"{host.address} is also {owner[host.address]}'s")
        owner.setdefault(host.address, name)


def host_keys_differ(site: Site) -> Iterator[Problem]:
    """One key on two machines is a copied line or a cloned disk; either way a connection would prove nothing."""
    owner: dict[str, str] = {}
    for name, host in site.hosts.items():
        if host.host_key in owner:
            yield Problem(
                f"hosts.{name}.host_key",
                f"is also {owner[host.host_key]}'s",
                accepted="the machine's own key: cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub",
            )
        owner.setdefault(host.host_key, name)


def duties(site: Site) -> Iterator[Problem]:
    """See to it that the machines do all that a site needs, and that no machine has duties that exclude each other."""
    for name, host in site.hosts.items():
        alone = [duty for duty in EXCLUSIVE if duty in host.duties]
        if alone and len(set(host.duties)) > 1:
            yield Problem(
                f"hosts.{name}.duties", f"{', '.join(host.duties)}: {alone[0]} cannot be combined with another duty"
            )
        if host.purpose != "any" and "worker" not in host.duties:
            yield Problem(f"hosts.{name}.purpose", f"{host.purpose}: only a worker has a purpose")
    yield from _exactly_one(site, "gateway", "")
    yield from _exactly_one(site, "control-plane", "; several need an address in front of them")
    workers = [host for host in site.hosts.values() if "worker" in host.duties]
    for purpose, pods in (("core", "hub"), ("user", "user")):
        if not any(host.purpose in ("any", purpose) for host in workers):
            yield Problem("hosts", f"no worker takes {pods} pods", accepted=f"a worker with purpose any or {purpose}")


def _exactly_one(site: Site, duty: str, because: str) -> Iterator[Problem]:
    holders = [name for name, host in site.hosts.items() if duty in host.duties]
    if len(holders) != 1:
        have = f"{', '.join(holders)} have" if holders else "no machine has"
        yield Problem("hosts", f"{have} the duty {duty}", accepted=f"exactly one machine{because}")


def pool_on_its_host(site: Site) -> Iterator[Problem]:
    """See to it that the pool's machine exists and keeps data."""
    name = site.storage.pool.host
    host = site.hosts.get(name)
    if host is None:
        yield Problem("storage.pool.host", f"{name} is not one of the hosts", accepted=", ".join(sorted(site.hosts)))
    elif "storage" not in host.duties:
        yield Problem(
            "storage.pool.host",
            f"{name}'s duties are {', '.join(host.duties)}",
            accepted="a host whose duty is storage",
        )


def pool_shape(site: Site) -> Iterator[Problem]:
    """ZFS would take an uneven pool by force; we do not force."""
    pool = site.storage.pool
    if pool.name == "log" or pool.name.startswith(RESERVED_POOL_WORDS[:4]):
        yield Problem("storage.pool.name", f"{pool.name} is a word of ZFS's own", accepted="another name")
    first = pool.vdevs[0]
    for number, vdev in enumerate(pool.vdevs):
        path = f"storage.pool.vdevs.{number}"
        if len(vdev.disks) < SMALLEST_VDEV[vdev.type]:
            yield Problem(
                f"{path}.disks",
                f"{len(vdev.disks)} disks are too few for {vdev.type}",
                accepted=f"{SMALLEST_VDEV[vdev.type]} or more",
            )
        if (vdev.type, len(vdev.disks)) != (first.type, len(first.disks)):
            yield Problem(
                path,
                f"{vdev.type} of {len(vdev.disks)} disks beside {first.type} of {len(first.disks)}",
                accepted="vdevs of one type and width",
            )


def disks_once(site: Site) -> Iterator[Problem]:
    """Give each disk one place."""
    pool = site.storage.pool
    places: list[tuple[str, Sequence[str]]] = [
        *((f"storage.pool.vdevs.{number}.disks", vdev.disks) for number, vdev in enumerate(pool.vdevs)),
        ("storage.pool.log", pool.log),
        ("storage.pool.spares", pool.spares),
    ]
    seen: dict[str, str] = {}
    for path, disks in places:
        for disk in disks:
            if disk in seen:
                yield Problem(path, f"{disk} is also in {seen[disk]}")
            seen.setdefault(disk, path)


def addresses_in_their_networks(site: Site) -> Iterator[Problem]:
    """Addresses that settings choose are free ones of the right network."""
    balanced, services = site.network.load_balancers, site.network.services
    if site.edge.load_balancer_address not in balanced:
        yield Problem(
            "edge.load_balancer_address",
            f"{site.edge.load_balancer_address} is not in network.load_balancers",
            accepted=str(balanced),
            write=str(balanced[min(10, balanced.num_addresses - 1)]),
        )
    chosen = site.storage.homes.service_address
    path = "storage.homes.service_address"
    if chosen is not None and chosen not in services:
        yield Problem(path, f"{chosen} is not in network.services", accepted=str(services), write=str(services[20]))
    elif chosen in (services[1], services[10]):
        yield Problem(path, f"{chosen} belongs to Kubernetes itself (its API or its DNS)", write=str(services[20]))
    elif chosen in (services[0], services[-1]):
        yield Problem(path, f"{chosen} is the first or the last address of {services}", write=str(services[20]))


def database_on_a_worker(site: Site) -> Iterator[Problem]:
    """See to it that the machine with the database takes the hub, which runs where its database is."""
    name = site.hub.database_host
    takers = site.workers_for("core")
    if name is not None and name not in takers:
        yield Problem(
            "hub.database_host",
            f"{name} is not a worker that takes core pods",
            accepted=", ".join(takers) or "none yet",
        )


def hub_in_domain(site: Site) -> Iterator[Problem]:
    """Keep the hub's name in the domain: the DNS output is one zone."""
    if not site.hub.host.endswith("." + site.domain):
        yield Problem("hub.host", f"{site.hub.host} is not in the domain", accepted=f"*.{site.domain}")


def ids_apart(site: Site) -> Iterator[Problem]:
    """Refuse ids that two give: the file server, which counts, and a provider, which numbers its accounts."""
    first = site.storage.homes.first_uid
    if site.hub.login.numbers_accounts and first >= ACCOUNT_UIDS.start:
        yield Problem(
            "storage.homes.first_uid",
            f"{first}: hub.login, {site.hub.login.type}, gives people the ids from {ACCOUNT_UIDS.start} on",
            accepted=f"a smaller number than {ACCOUNT_UIDS.start}",
        )


def lab_only(site: Site) -> Iterator[Problem]:
    """Keep a login without accounts in a lab."""
    login = site.hub.login
    if login.only_in_a_lab and not site.lab:
        yield Problem(
            "hub.login",
            f"{login.type} {login.only_in_a_lab}",
            accepted=f"native; {login.type} only in a lab",
            write="native",
        )


def someone_is_told(site: Site) -> Iterator[Problem]:
    """See to it that alerts of a site with people reach a person."""
    receivers = site.monitoring.all_receivers.values()
    if not site.lab and not any("critical" in receiver.severities for receiver in receivers):
        yield Problem(
            "monitoring.receivers",
            "names nobody: when a disk fails or the hub is down, no one is told",
            accepted="at least one receiver of type mail, slack or webhook that is told of what is critical",
            write={
                "operators": {
                    "type": "mail",
                    "to": [f"operators@{site.domain}"],
                    "sender": f"henhouse@{site.domain}",
                    "smarthost": f"mail.{site.domain}:587",
                }
            },
        )


def receivers_apart(site: Site) -> Iterator[Problem]:
    """Keep the name of the receiver that `alert_webhook` is short for free for it."""
    if site.monitoring.alert_webhook is not None and ALERT_WEBHOOK in site.monitoring.receivers:
        yield Problem(
            f"monitoring.receivers.{ALERT_WEBHOOK}",
            "has the name of the receiver that monitoring.alert_webhook is short for",
            accepted="another name, or no alert_webhook",
        )


def keys_once(site: Site) -> Iterator[Problem]:
    """Let each name stand for one key."""
    for number, name in enumerate(site.hub.keys):
        if name in site.hub.keys[:number]:
            yield Problem(f"hub.keys.{number}", f"{name} is named twice", accepted="each name once, newest first")


def openings_on_hosts(site: Site) -> Iterator[Problem]:
    """See to it that the machines whose ports the site opens exist."""
    for number, opening in enumerate(site.network.openings):
        if opening.machine not in site.hosts:
            yield Problem(
                f"network.openings.{number}.machine",
                f"{opening.machine} is not one of the hosts",
                accepted=", ".join(sorted(site.hosts)),
            )
        ports = [(each.machine, each.protocol, each.port) for each in site.network.openings[:number]]
        if (opening.machine, opening.protocol, opening.port) in ports:
            yield Problem(
                f"network.openings.{number}.port",
                f"{opening.protocol} port {opening.port} of {opening.machine} is opened twice",
                accepted="one opening for each port, with all its sources",
            )


def administrators_once(site: Site) -> Iterator[Problem]:
    """Name each administrator once."""
    for number, name in enumerate(site.hub.administrators):
        if name in site.hub.administrators[:number]:
            yield Problem(f"hub.administrators.{number}", f"{name} is named twice", accepted="each name once")


def size_in_order(site: Site) -> Iterator[Problem]:
    """Refuse a guarantee that is more than the limit."""
    size = site.hub.size
    if size.cpu_guarantee > size.cpu_limit:
        yield Problem("hub.size.cpu_guarantee", f"{size.cpu_guarantee} is more than cpu_limit, {size.cpu_limit}")
    if bytes_of(size.mem_guarantee) > bytes_of(size.mem_limit):
        yield Problem("hub.size.mem_guarantee", f"{size.mem_guarantee} is more than mem_limit, {size.mem_limit}")


def jump_is_whole(site: Site) -> Iterator[Problem]:
    """See to it that the jump is either a machine of the site, or has all that it takes to reach another."""
    jump = site.access.jump
    if jump is None:
        return
    if jump.machine is None:
        own = "what `cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub` says there"
        for name, accepted in (("host", "the jump's address or name"), ("host_key", own)):
            if getattr(jump, name) is None:
                yield Problem(f"access.jump.{name}", "is required of a jump without a machine", accepted=accepted)
        return
    if jump.machine not in site.hosts:
        yield Problem(
            "access.jump.machine",
            f"{jump.machine} is not one of the hosts",
            accepted=f"{', '.join(sorted(site.hosts))}; or, of a jump that is none of them, its host and host_key",
        )
    for name, of_the_site in (("user", "access.user"), ("host_key", f"hosts.{jump.machine}.host_key")):
        if getattr(jump, name) is not None:
            yield Problem(
                f"access.jump.{name}", f"is given, and the jump is the machine {jump.machine}", accepted=of_the_site
            )


def repositories_of_the_same_minor(site: Site) -> Iterator[Problem]:
    """Refuse a repository of another minor version: pkgs.k8s.io has one for each, and so have copies of it."""
    version = site.cluster.kubernetes_version
    minor = version.rpartition(".")[0]
    for name, repository in site.mirrors.apt.items():
        found = KUBERNETES_REPOSITORY.search(unquote(str(repository.url)))
        if found and found["minor"] != minor:
            yield Problem(
                f"mirrors.apt.{name}.url",
                f"{repository.url} has packages of {found['minor']}, and cluster.kubernetes_version is {version}",
                accepted=f"the repository of v{minor}",
                write=str(repository.url).replace(f"v{found['minor']}", f"v{minor}"),
            )


def images_in_the_registry(site: Site) -> Iterator[Problem]:
    """Where a registry stands in for others, refuse an image of a host that it does not stand in for: no other is
    asked."""
    mirrors = site.mirrors
    if mirrors.registry is None:
        return
    for host in OWN_IMAGES:
        if host not in mirrors.registry_hosts:
            yield Problem("mirrors.registry_hosts", f"lacks {host}, of which henhouse runs images")
    itself = (mirrors.registry.host, f"{mirrors.registry.host}:{mirrors.registry.port}")
    for path, image in _images(site):
        host = image.partition("/")[0]
        if host not in (*mirrors.registry_hosts, *itself):
            yield Problem(
                path,
                f"{image} is from {host}, which is not one of mirrors.registry_hosts: it would be asked for the image",
                accepted=f"an image of {', '.join(mirrors.registry_hosts)}, or {host} among mirrors.registry_hosts and "
                "its images in the registry",
            )


def _images(site: Site) -> Iterator[tuple[str, str]]:
    yield "hub.image", site.hub.image
    yield "hub.proxy_image", site.hub.proxy_image
    yield "hub.server_image", site.hub.server_image
    for index, profile in enumerate(site.hub.profile_list):
        if profile.kubespawner_override.image:
            yield f"hub.profile_list.{index}.kubespawner_override.image", profile.kubespawner_override.image
    if site.hub.image_menu:
        yield "hub.image_menu.repository", site.hub.image_menu.repository
    yield "edge.image", site.edge.image


def mirrors_elsewhere(site: Site) -> Iterator[Problem]:
    """Refuse a mirror at the gateway's own ports 80 and 443: people's browsers are answered there."""
    gateways = [host for host in site.hosts.values() if "gateway" in host.duties]
    named: dict[str, HttpUrl | None] = {f"mirrors.apt.{name}.url": each.url for name, each in site.mirrors.apt.items()}
    named |= {"mirrors.registry": site.mirrors.registry, "cluster.calico.manifest": site.cluster.calico.manifest}
    for path, url in named.items():
        if url and url.port in (80, 443) and url.host in {str(host.address) for host in gateways}:
            yield Problem(
                path,
                f"{url} is port {url.port} of the gateway, where the hub's visitors are answered and no files",
                accepted="another machine, or another port",
            )


CHECKS: Final[tuple[Check, ...]] = (
    networks_apart,
    pods_for_every_node,
    addresses_of_hosts,
    host_keys_differ,
    duties,
    pool_on_its_host,
    pool_shape,
    disks_once,
    addresses_in_their_networks,
    database_on_a_worker,
    hub_in_domain,
    ids_apart,
    lab_only,
    someone_is_told,
    receivers_apart,
    keys_once,
    size_in_order,
    openings_on_hosts,
    administrators_once,
    jump_is_whole,
    repositories_of_the_same_minor,
    images_in_the_registry,
    mirrors_elsewhere,
    reserved_for_nodes,
    names_that_lead_on,
    administrators_of_nat,
    environment_is_free,
    volumes_beside_ours,
    secrets_fit,
    values_fit,
    roles_of_known_services,
    *MENU_CHECKS,
    *INTERFACE_CHECKS,
)


def problems_across(site: Site) -> list[Problem]:
    """Return the problems that all checks find together."""
    return [problem for check in CHECKS for problem in check(site)]
