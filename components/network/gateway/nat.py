"""The machines' way out: what they send outside carries the gateway's address (nft(8), masquerade)."""

from typing import Final

from components.templates import render
from converge.items import Directory, File, Item, Package, Script, Unit
from stacks.settings import Site

RULES: Final = "/etc/henhouse/nat.nft"

_UNIT: Final = "henhouse-nat.service"
_UNIT_FILE: Final = f"/etc/systemd/system/{_UNIT}"
_IN_FORCE: Final = "[[ $(nft list table ip henhouse-nat) == *' masquerade'* ]]"


def translation(site: Site) -> str:
    """Return the rules: from the machines' and the pods' networks to none of the site's own, nothing else.

    Calico translates what pods send outside to their node's address already; a pod's own address comes here only from a
    pool of the site's own that does not.
    """
    network = site.network
    private = (network.machines, network.pods)
    return render(__file__, "nat.nft", private=private, inside=(*private, network.services, network.load_balancers))


def way_out(site: Site) -> tuple[Item, ...]:
    """Return what makes the gateway translate with `network.nat`, and stop without it."""
    if not site.network.nat:
        return (
            Script(
                "no address is translated",
                check=f"[[ ! -e {_UNIT_FILE} ]]",
                apply=f"systemctl disable --now {_UNIT}\nrm --force {_UNIT_FILE} {RULES}\nsystemctl daemon-reload",
            ),
        )
    return (
        Package("nftables"),
        Directory("/etc/henhouse"),
        File(RULES, translation(site), validate='nft --check --file "$NEW"'),
        File(_UNIT_FILE, render(__file__, _UNIT, rules=RULES)),
        Unit(_UNIT, restart_on=(RULES, _UNIT_FILE), reload=True),
        Script("addresses are translated", check=_IN_FORCE, apply=f"systemctl restart {_UNIT}"),
    )
