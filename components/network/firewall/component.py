"""Firewall: what may reach each machine."""

from collections.abc import Mapping, Sequence

import pulumi

from components.contracts.machines import Machine
from components.contracts.openings import Opening
from components.network.firewall.roles import KEEPING, keeping, loading
from components.network.firewall.ruleset import ruleset
from converge.host_state import apply
from stacks.settings import Site


class Firewall(pulumi.ComponentResource):
    """One packet filter for each machine, made of the openings of all rooms and of the site's own."""

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
        """`after` is what keeps machines busy: a connection must come within seconds of new rules (`roles.SECONDS`)."""
        super().__init__("henhouse:net:Firewall", name, None, opts)
        for machine in machines.values():
            try:
                rules = ruleset(site, machine.name, openings)
            except ValueError as error:
                raise pulumi.RunError(f"network.openings: {error}") from None
            loaded = apply(machine, loading(rules), parent=self, after=after)
            kept = loaded.facts.apply(lambda facts: keeping(facts["run"]))
            apply(machine, kept, role_name=KEEPING, parent=self, after=[loaded])
        self.register_outputs({})
