"""Names: the name server on the gateway, and its clients."""

from collections.abc import Mapping, Sequence

import pulumi

from components.contracts.machines import Machine
from components.contracts.openings import Opening
from components.network.names.roles import name_server, resolver
from components.network.names.texts import PORT
from converge.host_state import apply
from stacks.settings import Site


class NameServer(pulumi.ComponentResource):
    """The gateway answers for the machines' names and for their addresses, and forwards the rest; nothing without
    `network.dns`."""

    ready: tuple[pulumi.Resource, ...]
    """It answers, as far as packet filters let it."""
    openings: tuple[Opening, ...]
    """Of the gateway."""

    def __init__(self, name: str, site: Site, *, on: Machine, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("henhouse:net:NameServer", name, None, opts)
        dns = site.network.dns
        self.ready = (apply(on, name_server(site, dns), parent=self),) if dns else ()
        # An answer is longer than its question: for anyone, it would be a weapon against others.
        asking = (site.network.machines, site.network.pods)
        self.openings = (
            (Opening(on.name, PORT, "udp", asking, "names"), Opening(on.name, PORT, "tcp", asking, "names"))
            if dns
            else ()
        )
        self.register_outputs({})


class Resolvers(pulumi.ComponentResource):
    """Every machine asks the gateway for names; nothing without `network.dns`."""

    def __init__(
        self,
        name: str,
        site: Site,
        *,
        machines: Mapping[str, Machine],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`after` is what has to be there before the gateway answers: its name server, and the way to it."""
        super().__init__("henhouse:net:Resolvers", name, None, opts)
        dns = site.network.dns
        gateway = site.hosts[site.gateway].address
        if dns:
            for machine in machines.values():
                apply(machine, resolver(gateway, dns), parent=self, after=after)
        self.register_outputs({})
