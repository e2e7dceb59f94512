"""BareMetalNode: a machine whose baseline is in place."""

from collections.abc import Iterator, Sequence

import pulumi

from components.contracts.cluster import Membership
from components.contracts.machines import Machine, SshTarget
from components.contracts.openings import ANYWHERE, Opening, only
from components.contracts.watched import ScrapeTarget, Watched, alert_rules
from components.machines.roles import base, boot, exporter, interfaces, kubernetes, sources, time
from converge.findings import Findings
from converge.host_state import HostState
from converge.role import Role
from stacks.settings import HostSettings, Site


class BareMetalNode(pulumi.ComponentResource):
    """A machine with an installed Debian, brought to what every machine of the site is, and, where it is to be a node
    of the cluster, to what kubeadm expects of one. Its roles are applied one after the other."""

    machine: Machine
    """For the roles that other components put on it: they depend on `machine.ready`."""
    facts: pulumi.Output[dict[str, str]]
    """machine_id, os and kernel by name."""
    machine_id: pulumi.Output[str]
    """Changes when the machine is reinstalled (machine-id(5))."""
    os: pulumi.Output[str]
    """For example Debian GNU/Linux 13 (trixie)."""
    kernel: pulumi.Output[str]
    """Release of the running kernel when the role was last applied."""
    openings: tuple[Opening, ...]
    """SSH, and its node exporter."""
    watched: Watched
    """Its node exporter."""

    def __init__(
        self,
        name: str,
        site: Site,
        cluster: Membership,
        findings: Findings,
        *,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`name` is one of the settings' `hosts`; `findings` are what a probe has seen of all machines.

        `after` is what leads from the machine to its packages.
        """
        super().__init__("henhouse:host:BareMetalNode", name, None, opts)
        host = site.hosts[name]
        target = SshTarget.of(name, host, site.access, site.jump)

        ready = self._interfaces(name, host, target, findings, after)
        for role in baseline(name, site, cluster):
            options = pulumi.ResourceOptions(parent=self, depends_on=[ready] if ready else [*after])
            ready = HostState(target, role, findings=findings, opts=options)
        assert ready is not None

        self.facts = ready.facts
        self.machine_id = ready.facts.apply(lambda facts: facts["machine_id"])
        self.machine = Machine(name, host, target, ready, self.machine_id, findings)
        self.os = ready.facts.apply(lambda facts: facts["os"])
        self.kernel = ready.facts.apply(lambda facts: facts["kernel"])
        self.openings = (
            Opening(name, site.access.port, "tcp", ANYWHERE, "SSH"),
            Opening(name, exporter.PORT, "tcp", only([site.hosts[site.gateway].address]), "metrics of the machine"),
        )
        metrics = ScrapeTarget("node", [f"{host.address}:{exporter.PORT}"], labels={"machine": name})
        self.watched = Watched([metrics], alert_rules("machines", __file__))
        self.register_outputs({"machine_id": self.machine_id, "os": self.os, "kernel": self.kernel})

    def _interfaces(
        self, name: str, host: HostSettings, target: SshTarget, findings: Findings, after: Sequence[pulumi.Resource]
    ) -> HostState | None:
        """Configure its network interfaces where the settings name them, before anything is fetched through them."""
        if not host.interfaces:
            return None
        options = pulumi.ResourceOptions(parent=self, depends_on=[*after])
        loaded = HostState(target, interfaces.interfaces(name, host), findings=findings, opts=options)
        kept = loaded.facts.apply(lambda facts: interfaces.keeping(name, host, facts["run"]))
        options = pulumi.ResourceOptions(parent=self, depends_on=[loaded])
        return HostState(target, kept, role_name=interfaces.KEEPING, findings=findings, opts=options)


def baseline(name: str, site: Site, cluster: Membership) -> Iterator[Role]:
    """Yield a machine's roles in order. The last one tells its facts."""
    host = site.hosts[name]
    yield sources.package_sources(site.mirrors, cluster.kubernetes_version)
    yield base.base(name, site, cluster.endpoint)
    yield base.ssh()
    yield boot.boot(host.address)
    yield time.time(name, site)
    yield exporter.exporter(host.address)
    if host.is_node:
        yield kubernetes.swap_off()
        yield kubernetes.kernel()
        yield kubernetes.container_runtime(host, site)
        yield kubernetes.node_packages(host, cluster.kubernetes_version)
    yield base.identity()
