"""The time: the gateway asks the world, all others ask the gateway."""

from components.templates import render
from converge.items import File, Package, Unit
from converge.role import Role
from stacks.settings import Site

_CONFIG = "/etc/chrony/chrony.conf"
_OTHERS = ("systemd-timesyncd", "ntpsec", "openntpd")
_DROP_IN = "/etc/systemd/system/chrony.service.d/henhouse.conf"


def time(name: str, site: Site) -> Role:
    """Return the role in which chronyd keeps the clock.

    Where the machine may not set the clock, chronyd serves the one that the machine's host keeps.
    """
    return Role(
        "time",
        (
            # Two that set one clock pull it to and fro. Installing chrony removes their packages, where they are
            # Debian's; what is left of them, or comes later, stays off.
            *(Unit(f"{other}.service", masked=True) for other in _OTHERS),
            Package("chrony"),
            File(_CONFIG, chrony_conf(name, site)),
            File(_DROP_IN, render(__file__, "chrony.service.conf")),
            Unit("chrony.service", restart_on=(_CONFIG, _DROP_IN)),
        ),
    )


def chrony_conf(name: str, site: Site) -> str:
    """chrony.conf(5) of a machine.

    The gateway serves in orphan mode: the machines agree with each other even when the world cannot be reached. The
    others poll often (maxpoll): a gateway that comes back is polled again within a minute, not after the quarter of an
    hour that polls grow to.
    """
    return render(
        __file__,
        "chrony.conf",
        serves=name == site.gateway,
        time_servers=site.network.time_servers,
        machines=site.network.machines,
        gateway=site.hosts[site.gateway].address,
    )
