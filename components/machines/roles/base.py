"""What every machine is: its name, its neighbours, its time zone, who may log in, how much it logs."""

import shlex

from components.contracts.machines import KEPT_HOSTS
from components.templates import render
from converge.items import Block, File, Item, Line, Package, Script, Unit
from converge.role import Fact, Role
from stacks.settings import Site

_PACKAGES = ("ca-certificates", "curl", "iproute2", "kmod", "openssl", "procps", "tzdata")
_JOURNAL = "/etc/systemd/journald.conf.d/50-henhouse.conf"
_UNITS = "/etc/systemd/system"
_HOSTS_UNITS = ("henhouse-hosts.path", "henhouse-hosts.service")
_KNOWN = "/var/lib/henhouse/machine-id"
"""The machine-id whose facts the stack has."""
_SSHD = "/etc/ssh/sshd_config.d/10-henhouse.conf"


def base(name: str, site: Site, endpoint: str) -> Role:
    """Return the role in which the machine knows its own name and time zone, and the API server by name.

    It needs no name server for them. Without `network.dns` it knows every other machine by name as well.
    """
    return Role(
        "base",
        (
            *(Package(package) for package in _PACKAGES),
            File("/etc/hostname", f"{name}\n"),
            Script(
                "host name",
                check=f'read -r found </proc/sys/kernel/hostname; echo "$found"; [[ $found == {name} ]]',
                apply=f"hostname {name}",
            ),
            # The installer's line gives the machine's own name a loopback address, which kubelet would announce.
            Line("/etc/hosts", r"^127\.0\.1\.1[[:space:]]", comment_out=True),
            # Whatever rewrites the file at boot, as cloud-init does: without the API server's name a node is lost.
            # Before the block: the units must not bring an older one back.
            File(KEPT_HOSTS, Block.framed("base", hosts(name, site, endpoint))),
            Block("/etc/hosts", hosts(name, site, endpoint)),
            *(File(f"{_UNITS}/{unit}", render(__file__, unit, kept=KEPT_HOSTS)) for unit in _HOSTS_UNITS),
            Unit(_HOSTS_UNITS[0]),
            Unit(_HOSTS_UNITS[1], running=None),
            _time_zone(site.time_zone),
            File(_JOURNAL, "[Journal]\nSystemMaxUse=1G\nMaxRetentionSec=30day\n"),
            Unit("systemd-journald.service", restart_on=(_JOURNAL,)),
        ),
    )


def hosts(name: str, site: Site, endpoint: str) -> str:
    """Return the lines of /etc/hosts (hosts(5)) of the machine `name`.

    They hold its own name and that of the API server, `endpoint`: no machine of the cluster depends on another for
    these two. Where no name server knows the machines, they hold all machines' names.
    """
    dns = site.network.dns
    domain = dns.domain if dns else site.domain
    lines = []
    for each, host in sorted(site.hosts.items(), key=lambda each: each[1].address):
        names = [f"{each}.{domain}", each] if each == name or not dns else []
        if host.is_control_plane:
            names.append(endpoint)
        if names:
            lines.append(f"{host.address} {' '.join(names)}\n")
    return "".join(lines)


def _time_zone(zone: str) -> Item:
    path = shlex.quote(f"/usr/share/zoneinfo/{zone}")
    return Script(
        f"time zone {zone}",
        check=f'found=$(readlink /etc/localtime); echo "$found"; [[ $found == {path} ]]',
        apply=f"test -e {path}\nln --symbolic --force --no-dereference {path} /etc/localtime",
    )


def ssh() -> Role:
    """Return the role in which only keys open an SSH session.

    The drop-in comes before the main file, and sshd takes the first value it reads (sshd_config(5)). Many sessions may
    begin at once: the program opens one for each role.
    """
    wanted = {
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
        "PermitEmptyPasswords": "no",
        "X11Forwarding": "no",
        "MaxStartups": "50:30:200",
        "MaxSessions": "50",
    }
    return Role(
        "ssh",
        (
            File(_SSHD, "".join(f"{key} {value}\n" for key, value in wanted.items()), validate='sshd -t -f "$NEW"'),
            Script(
                "no other file lets passwords in",
                check=(
                    "found=$(sshd -T); found=${found,,}\n"
                    "[[ $found == *$'\\n''passwordauthentication no'* "
                    "&& $found == *$'\\n''kbdinteractiveauthentication no'* ]]"
                ),
                apply=f"grep --recursive --ignore-case --line-number passwordauthentication /etc/ssh/sshd_config*\n"
                f"echo 'one of these files is read before {_SSHD}: remove the line'\nexit 1",
            ),
            Unit("ssh.service", restart_on=(_SSHD,), reload=True),
        ),
    )


def identity() -> Role:
    """Return the role whose facts only the machine knows. They change when the machine is reinstalled.

    A probe sees differences, not facts: the mark is missing on a new installation, and the facts are read again.
    """
    return Role(
        "identity",
        (
            Script(
                "installation is known",
                check=f"cmp --silent /etc/machine-id {_KNOWN}",
                apply=f"install --directory --mode=0755 {_KNOWN.rpartition('/')[0]}\n"
                f"install --mode=0444 /etc/machine-id {_KNOWN}.new\nmv {_KNOWN}.new {_KNOWN}",
            ),
        ),
        facts=(
            Fact("machine_id", "cat /etc/machine-id"),
            Fact("os", "sed --quiet 's/^PRETTY_NAME=\"\\(.*\\)\"$/\\1/p' /etc/os-release"),
            Fact("kernel", "uname --kernel-release"),
        ),
    )
