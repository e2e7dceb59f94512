"""What the monitoring asks of every machine."""

from ipaddress import IPv4Address
from typing import Final

from components.templates import render
from converge.items import File, Package, Unit
from converge.role import Role

PORT: Final = 9100
"""Port of node_exporter, as registered at https://github.com/prometheus/prometheus/wiki/Default-port-allocations."""

_ARGUMENTS = "/etc/default/prometheus-node-exporter"
_DROP_IN = "/etc/systemd/system/prometheus-node-exporter.service.d/henhouse.conf"

# Pods' mounts and links come and go, and are the cluster's to watch.
_MOUNTS = r"^/(dev|proc|run|sys|var/lib/(containerd|kubelet))($|/)"
_LINKS = "^(cali|veth|tunl|kube-ipvs|nodelocaldns).*"


def exporter(address: IPv4Address) -> Role:
    """Return the role in which node_exporter answers on the machine's address.

    It does not answer on the addresses by which the cluster or the outside world reaches the machine.
    """
    arguments = [
        f"--web.listen-address={address}:{PORT}",
        "--collector.systemd",
        "--collector.systemd.enable-restarts-metrics",
        f"--collector.filesystem.mount-points-exclude={_MOUNTS}",
        f"--collector.netdev.device-exclude={_LINKS}",
        f"--collector.netclass.ignored-devices={_LINKS}",
    ]
    return Role(
        "exporter",
        (
            Package("prometheus-node-exporter"),
            File(_ARGUMENTS, "ARGS='" + " ".join(arguments) + "'\n"),
            # Its address may come up after it.
            File(_DROP_IN, render(__file__, "prometheus-node-exporter.service.conf")),
            Unit("prometheus-node-exporter.service", restart_on=(_ARGUMENTS, _DROP_IN)),
        ),
    )
