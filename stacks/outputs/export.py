"""Exports a stack's outputs. docs/outputs.md says who reads which."""

from collections.abc import Mapping, Sequence

import pulumi

from stacks.outputs.bgp import bgp
from stacks.outputs.dns import dns_records, dns_zone
from stacks.outputs.hub import callback_url, hub_url
from stacks.outputs.ssh import known_hosts, ssh_config
from stacks.secrets import SiteSecrets
from stacks.settings import Site


def export_outputs(
    site: Site,
    secrets: SiteSecrets,
    *,
    hosts: Sequence[str],
    openings: Sequence[Mapping[str, object]],
    kubeconfig: pulumi.Output[str],
    machines: Mapping[str, pulumi.Output[dict[str, str]]],
) -> None:
    """Export the stack's outputs; `hosts` are its public names, `machines` the facts of each machine.

    Only `kubeconfig`, `login` and `administrators` are secret: the DNS job needs no passphrase.
    """
    pulumi.export("hub_url", hub_url(site))
    pulumi.export("hub_callback_url", callback_url(site))
    records = dns_records(site, hosts)
    pulumi.export("dns_records", [record.as_data() for record in records])
    pulumi.export("dns_zone", dns_zone(records))
    pulumi.export("ssh_config", ssh_config(site))
    pulumi.export("known_hosts", known_hosts(site))
    pulumi.export("bgp", bgp(site))
    pulumi.export("openings", list(openings))
    pulumi.export("ca_certificate", secrets.ca_certificate)
    pulumi.export("machines", dict(sorted(machines.items())))
    pulumi.export("kubeconfig", pulumi.Output.secret(kubeconfig))
    pulumi.export("login", pulumi.Output.secret(_login(site, secrets)))
    pulumi.export("administrators", pulumi.Output.secret(dict(secrets.administrators)))


def _login(site: Site, secrets: SiteSecrets) -> pulumi.Output[str]:
    login = site.hub.login
    known = {"administrator": site.hub.administrators[0], "url": hub_url(site)}
    kept = {name: secrets.login[name] for name in login.secrets}
    return pulumi.Output.from_input(kept).apply(lambda secret: login.first.format(**known, **secret))
