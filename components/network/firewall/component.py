"""Firewall: what may reach each machine."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network

import pulumi

from components.contracts.machines import Machine
from components.contracts.openings import Opening
from components.network.firewall.roles import KEEPING, keeping, let_in, loading
from components.network.firewall.ruleset import members, ruleset
from converge.host_state import HostState, apply
from stacks.settings import Site


class Firewall(pulumi.ComponentResource):
    """One packet filter for each machine, made of the openings of all rooms and of the site's own.

    Its rules do not name single machines. Who is in the sets that they name is a role of its own, the only one that
    another machine changes.
    """

    of_gateway: pulumi.Resource
    """The gateway's is in force, and kept."""

    def __init__(
        self,
        name: str,
        site: Site,
        *,
        machines: Mapping[str, Machine],
        openings: Sequence[Opening],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`after` is what keeps machines busy: a connection must come within seconds of new rules."""
        super().__init__("henhouse:net:Firewall", name, None, opts)
        let_in_by = {
            name: apply(machine, let_in(members(site, name, openings), way(site, name)), parent=self)
            for name, machine in machines.items()
        }
        # They tell whether this program comes through the gateway, before the gateway's rules close that way.
        ways = [let_in_by[name] for name in site.control_planes]
        for name, machine in machines.items():
            try:
                rules = ruleset(site, name, openings)
            except ValueError as error:
                raise pulumi.RunError(f"network.openings: {error}") from None
            loaded = apply(machine, loading(rules), parent=self, after=[let_in_by[name], *ways, *after])
            kept = self._kept(machine, loaded)
            if name == site.gateway:
                self.of_gateway = kept
        self.register_outputs({})

    def _kept(self, machine: Machine, loaded: HostState) -> HostState:
        role = loaded.facts.apply(lambda facts: keeping(facts["run"]))
        return apply(machine, role, role_name=KEEPING, parent=self, after=[loaded])


def way(site: Site, machine: str) -> tuple[IPv4Network, ...]:
    """Return where the program may come from to a machine that is behind a gateway with `nat`; empty for anywhere."""
    if machine == site.gateway or not site.network.nat:
        return ()
    return (site.network.machines, *site.network.administrators)
