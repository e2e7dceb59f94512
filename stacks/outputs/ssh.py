"""How to reach the machines with pinned keys."""

from stacks.settings import Site

SSH_HEADER = "# Include this file from ~/.ssh/config. Host keys are in the stack's settings."


def ssh_config(site: Site) -> str:
    """ssh_config(5) for every machine; with `known_hosts` beside it no key is ever trusted at first sight."""
    blocks = [
        f"Host {name}\n  HostName {host.address}\n  Port {site.access.port}\n  User {site.access.user}\n"
        f"  HostKeyAlgorithms ssh-ed25519\n"
        for name, host in sorted(site.hosts.items())
    ]
    return "\n".join([SSH_HEADER, *blocks])


def known_hosts(site: Site) -> str:
    """sshd(8)'s known_hosts of every machine, by name and address."""
    return "".join(f"{name},{host.address} {host.host_key}\n" for name, host in sorted(site.hosts.items()))
