"""The time: the gateway asks the world, all others ask the gateway."""

from converge.items import File, Package, Unit
from converge.role import Role
from stacks.settings import Site

_CONFIG = "/etc/chrony/chrony.conf"
_DROP_IN = "/etc/systemd/system/chrony.service.d/henhouse.conf"

_UNIT = """\
# A container may not set the clock, which is its host's. chronyd then only watches and serves it (-x, chronyd(8)).
[Unit]
ConditionCapability=

[Service]
ExecStart=
ExecStart=!/bin/sh -c '\\
  systemd-analyze condition ConditionCapability=CAP_SYS_TIME >/dev/null || clock=-x; \\
  exec /usr/sbin/chronyd -F 1 $${clock-}'
"""


def time(name: str, site: Site) -> Role:
    """Return the role in which chronyd keeps the clock.

    Where the machine may not set the clock, chronyd serves the one that the machine's host keeps.
    """
    return Role(
        "time",
        (
            Package("chrony"),
            File(_CONFIG, chrony_conf(name, site)),
            File(_DROP_IN, _UNIT),
            Unit("chrony.service", restart_on=(_CONFIG, _DROP_IN)),
        ),
    )


def chrony_conf(name: str, site: Site) -> str:
    """chrony.conf(5) of a machine."""
    if name == site.gateway:
        sources = [f"server {server} iburst" for server in site.network.time_servers]
        # Orphan mode: the machines agree with each other even when the world cannot be reached.
        serving = [f"allow {site.network.machines}", "local stratum 10 orphan"]
    else:
        # A gateway that comes back is asked again within a minute, not after the quarter of an hour that polls grow to.
        sources = [f"server {site.hosts[site.gateway].address} iburst maxpoll 6"]
        serving = ["port 0"]
    common = [
        "driftfile /var/lib/chrony/chrony.drift",
        "ntsdumpdir /var/lib/chrony",
        "leapseclist /usr/share/zoneinfo/leap-seconds.list",
        "logdir /var/log/chrony",
        "makestep 1 3",
        "rtcsync",
        "maxupdateskew 100.0",
    ]
    return "\n".join([*sources, *serving, *common, ""])
