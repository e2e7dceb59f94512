"""What the name server needs of the gateway, and what makes a machine ask it."""

from ipaddress import IPv4Address
from typing import Final

from components.network.names.texts import PORT, dnsmasq_conf, hosts, resolv_conf
from components.templates import render
from converge.items import Directory, File, Package, Script, Unit
from converge.role import Role
from stacks.settings import DnsSettings, Site

_DIRECTORY: Final = "/etc/henhouse/names"
CONFIG: Final = f"{_DIRECTORY}/dnsmasq.conf"
HOSTS: Final = f"{_DIRECTORY}/hosts"

_UNIT: Final = "henhouse-names.service"
_UNIT_FILE: Final = f"/etc/systemd/system/{_UNIT}"
_RESOLVED: Final = "/etc/systemd/resolved.conf.d/50-henhouse.conf"
_NETWORK_MANAGER: Final = "/etc/NetworkManager/conf.d/50-henhouse.conf"
_DHCLIENT: Final = "/etc/dhcp/dhclient-enter-hooks.d/henhouse"


def name_server(site: Site, dns: DnsSettings) -> Role:
    """Return the role in which the gateway answers for the machines' names, and asks the upstreams for all others.

    dnsmasq-base has the program without Debian's service, which would listen on every address as soon as it is
    installed.
    """
    address = site.hosts[site.gateway].address
    return Role(
        "names",
        (
            Package("dnsmasq-base"),
            Directory(_DIRECTORY),
            File(HOSTS, hosts(site, dns)),
            File(CONFIG, dnsmasq_conf(site, dns, HOSTS), validate='dnsmasq --test --conf-file="$NEW"'),
            File(_UNIT_FILE, render(__file__, _UNIT, config=CONFIG)),
            Unit(_UNIT, restart_on=(HOSTS, CONFIG, _UNIT_FILE)),
            Script(
                "the name server answers",
                check=_answers(address),
                apply=f"systemctl restart {_UNIT}\ndeadline=$((SECONDS + 20))\n"
                f"until {_answers(address)}; do\n"
                f"  if ((SECONDS > deadline)); then journalctl --no-pager --lines=20 --unit={_UNIT}; exit 1; fi\n"
                "  sleep 0.2\ndone",
            ),
        ),
    )


def resolver(gateway: IPv4Address, dns: DnsSettings) -> Role:
    """Return the role in which a machine asks the gateway for names, whoever wrote its resolv.conf before.

    It asks no other name server: without its gateway a machine reaches none, and its own name and the API server's are
    in its /etc/hosts.
    """
    wanted = resolv_conf(gateway, dns)
    return Role(
        "resolver",
        (
            # systemd-resolved prefers these servers to those that a link was given (resolved.conf(5), `~.`).
            File(_RESOLVED, f"[Resolve]\nDNS={gateway}\nDomains={dns.domain} ~.\n"),
            # Neither of the two writes resolv.conf any more (NetworkManager.conf(5), dhclient-script(8)).
            File(_NETWORK_MANAGER, "[main]\ndns=none\n"),
            File(_DHCLIENT, "make_resolv_conf() { :; }\n"),
            Script(
                "names come from the gateway",
                check=f"{_OWNER}\nWANTED='{wanted}'\nGATEWAY={gateway}\n{_ASKS}",
                apply=f"{_OWNER}\nWANTED='{wanted}'\nGATEWAY={gateway}\nANSWERS() {{ {_answers(gateway)}; }}\n{_ASK}",
            ),
        ),
    )


def _answers(address: IPv4Address) -> str:
    """Return the command that succeeds when something takes a connection on the port of names."""
    return f"timeout 5 bash -c ': </dev/tcp/{address}/{PORT}'"


# systemd-resolved where it runs and resolv.conf is its; a plain file everywhere else.
_OWNER: Final = """
resolved() {
  systemctl is-active --quiet systemd-resolved.service && [[ $(readlink /etc/resolv.conf) == */systemd/resolve/* ]]
}"""
_ASKS: Final = """
if resolved; then
  found=$(resolvectl dns | sed --quiet 's/^Global: *//p')
  echo "${found:-no name server}"
  [[ " $found " == *" $GATEWAY "* ]]
else
  found=$(grep --max-count=1 ^nameserver /etc/resolv.conf || true)
  echo "${found:-no name server}"
  [[ ! -L /etc/resolv.conf ]] && printf %s "$WANTED" | cmp --silent - /etc/resolv.conf
fi"""
_ASK: Final = """
if ! ANSWERS; then
  echo "The gateway does not answer on $GATEWAY, port 53; this machine keeps its former name servers."
  exit 1
fi
if systemctl is-active --quiet NetworkManager.service; then systemctl reload NetworkManager.service; fi
if resolved; then
  systemctl restart systemd-resolved.service
else
  printf %s "$WANTED" >/etc/resolv.conf.henhouse-new
  chmod 0644 /etc/resolv.conf.henhouse-new
  sync /etc/resolv.conf.henhouse-new
  mv --force --no-target-directory /etc/resolv.conf.henhouse-new /etc/resolv.conf
fi"""
