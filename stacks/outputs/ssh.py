"""How to reach the machines with pinned keys, and through the jump where there is one."""

from stacks.settings import Jump, Site
from stacks.settings.access import SSH_PORT

SSH_HEADER = """\
# Include this file from ~/.ssh/config. The output known_hosts goes into {file}: no key is trusted at first sight."""


def ssh_config(site: Site) -> str:
    """ssh_config(5) for every machine by name, and for the jump.

    A jump that is a machine of the site goes by its name; another by its own. Keys are looked up by these names,
    whatever the address and port (HostKeyAlias).
    """
    jump, access = site.jump, site.access
    file = f"~/.ssh/henhouse.{site.domain}"
    blocks = [_block(jump.name, jump.host, jump.port, jump.user, file)] if jump else []
    through = f"  ProxyJump {jump.name}\n" if jump else ""
    blocks += [
        _block(name, str(host.address), access.port, access.user, file) + through
        for name, host in sorted(site.hosts.items())
        if not _is(jump, name)
    ]
    return "\n".join([SSH_HEADER.format(file=file), *blocks])


def _block(name: str, host: str, port: int, user: str, file: str) -> str:
    pinned = "HostKeyAlgorithms ssh-ed25519\n  StrictHostKeyChecking yes"
    return (
        f"Host {name}\n  HostName {host}\n  Port {port}\n  User {user}\n  HostKeyAlias {name}\n"
        f"  {pinned}\n  UserKnownHostsFile {file} ~/.ssh/known_hosts\n"
    )


def known_hosts(site: Site) -> str:
    """sshd(8)'s known_hosts of the jump and of every machine, by name and address."""
    jump, port = site.jump, site.access.port
    lines = [_line(jump.name, jump.host_key, (jump.host, jump.port))] if jump and not jump.machine else []
    for name, host in sorted(site.hosts.items()):
        outside = [(jump.host, jump.port)] if jump and _is(jump, name) else []
        lines.append(_line(name, host.host_key, (str(host.address), port), *outside))
    return "".join(lines)


def _line(name: str, key: str, *places: tuple[str, int]) -> str:
    """Return the line for a key: by the name that ssh_config uses, and by where ssh(1) would look without it."""
    written = [host if port == SSH_PORT else f"[{host}]:{port}" for host, port in places]
    return f"{','.join(dict.fromkeys([name, *written]))} {key}\n"


def _is(jump: Jump | None, name: str) -> bool:
    return jump is not None and jump.machine == name
