"""The address plan."""

from stacks.settings.types import LoadBalancerNetwork, MachinesNetwork, Model, PodNetwork, ServiceNetwork


class NetworkSettings(Model):
    """The address plan. No two of the four networks may overlap."""

    machines: MachinesNetwork
    """The network that all machines are on."""
    pods: PodNetwork
    """Addresses of pods: routed without encapsulation, so they must be free in the whole site."""
    services: ServiceNetwork
    """Addresses of Kubernetes Services (ClusterIPs)."""
    load_balancers: LoadBalancerNetwork
    """Addresses of Services of type LoadBalancer, announced to the gateway by BGP."""
    time_servers: tuple[str, ...] = ("2.debian.pool.ntp.org",)
    """Time servers of the gateway. The other machines take the time from the gateway."""
