"""The network interfaces of a machine, and how they change without cutting it off.

One role gives systemd-networkd the files, with a timer that takes them back (`converge.trial`). The next role keeps
them: what it keeps is loaded at each boot, and a boot before that brings what was kept last.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from components.templates import render, shell
from converge.items import Directory, File, Script, Unit
from converge.role import Fact, Role
from converge.trial import Trial
from stacks.settings import HostSettings

KEEPING: Final = "interfaces-kept"
"""Name of the role that keeps them."""
DIRECTORY: Final = "/etc/henhouse/interfaces"
KEPT: Final = f"{DIRECTORY}/kept"
"""What is loaded at boot: a link to files with which this program has reached the machine."""
LOAD: Final = f"{DIRECTORY}/load"

_UNIT: Final = "henhouse-interfaces.service"
_DIGEST: Final = "[0-9a-f]" * 12
"""The names of henhouse's directories with files, and of no others."""
_TRIAL: Final = Trial("henhouse-interfaces-rollback")
_LOADED: Final = "/run/henhouse-interfaces.loaded"
"""The name of the directory that was loaded last."""
_PEERS: Final = "/run/henhouse-interfaces.peers"
_ROUTES: Final = "/etc/systemd/networkd.conf.d/50-henhouse-interfaces.conf"
"""A routing daemon's routes, the cluster's, are not networkd's to remove when it re-reads a file."""
_NOT_BEFORE: Final = f"grep --quiet --invert-match --line-regexp --fixed-strings --file={_PEERS}"
# From where this program comes: strangers knock at a public side all day.
_ARRIVED: Final = (
    "ss -Htn state established sport = :$port | awk '{ print \\$NF }' | grep --fixed-strings $client | " + _NOT_BEFORE
)
_UP_SECONDS: Final = 20
"""How long the addresses may take to come up: less than the timer, more than partners of a bond take (LACP)."""

# What they are taken from is not asked to give them back: see docs/network.md.
_REFUSED: Final = "\nrefusals\nexit 1"
_NOTHING_REFUSED: Final = "\nfound=$(refusals)\necho \"${found//$'\\n'/, }\"\n[[ -z $found ]]"
_IN_FORCE: Final = "\nfound=$(differences)\necho \"${found//$'\\n'/, }\"\n[[ -z $found ]]"


def files(machine: str, host: HostSettings) -> Mapping[str, str]:
    """Return the files of systemd-networkd by name: systemd.network(5) and systemd.netdev(5).

    They come before all others: the first that matches an interface counts, in the order of names. Calico's
    interfaces are not among them.
    """
    return dict(_files(machine, host))


def interfaces(machine: str, host: HostSettings) -> Role:
    """Return the role that configures them, and takes that back unless `keeping` comes."""
    candidate = _candidate(machine, host)
    text = _shell(machine, host)
    return Role(
        "interfaces",
        (
            Script(
                "systemd-networkd may configure the interfaces",
                check=text + _NOTHING_REFUSED,
                apply=text + _REFUSED,
            ),
            Directory("/etc/systemd/networkd.conf.d"),
            File(_ROUTES, "[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n"),
            Unit("systemd-networkd.service", restart_on=(_ROUTES,)),
            *(Directory(each) for each in (DIRECTORY, candidate)),
            File(LOAD, (Path(__file__).parent / "scripts/load.sh").read_text(), mode="0755"),
            *(File(f"{candidate}/{name}", content) for name, content in files(machine, host).items()),
            Script("the interfaces are as they are to be", check=text + _IN_FORCE, apply=text + _load(candidate)),
        ),
        # Other at each run: the role that keeps them runs after every one that loads them.
        facts=(Fact("run", "cat /proc/sys/kernel/random/uuid", lasting=False),),
    )


def keeping(machine: str, host: HostSettings, run: str) -> Role:
    """Return the role that keeps interfaces by which this program came in; `run` is a fact of the role before."""
    candidate = _candidate(machine, host)
    return Role(
        KEEPING,
        (
            # First: the machine may be slow, and the time runs.
            Script(
                "these interfaces are kept",
                check=f"[[ $(readlink {KEPT}) == {candidate} ]] && ! {_TRIAL.runs} && {_loaded(candidate)}",
                apply=f"# after run {run}\n{_keep(candidate)}",
            ),
            File(f"/etc/systemd/system/{_UNIT}", render(__file__, _UNIT, load=LOAD, kept=KEPT)),
            # It is for boots: now its work is done.
            Unit(_UNIT, running=None),
        ),
    )


def _files(machine: str, host: HostSettings) -> Iterator[tuple[str, str]]:
    members = {member: key for key, each in host.interfaces.items() if each.bond for member in each.bond.members}
    vlans = {key: each.vlan.on for key, each in host.interfaces.items() if each.vlan}
    for name, each in host.interfaces.items():
        if each.bond or each.vlan:
            device = render(__file__, "interface.netdev", machine=machine, link=name, bond=each.bond, vlan=each.vlan)
            yield f"04-henhouse-{name}.netdev", device
        yield (
            f"04-henhouse-{name}.network",
            render(
                __file__,
                "interface.network",
                machine=machine,
                link=name,
                own=host.address in {address.ip for address in each.addresses},
                mtu=each.mtu,
                addresses=each.addresses,
                name_servers=each.name_servers,
                gateway=each.gateway,
                bond=None,
                vlans=sorted(key for key, on in vlans.items() if on == name),
            ),
        )
    for member, bond in members.items():
        empty = {"own": False, "mtu": None, "addresses": (), "name_servers": (), "gateway": None, "vlans": ()}
        text = render(__file__, "interface.network", machine=machine, link=member, bond=bond, **empty)
        yield f"04-henhouse-{member}.network", text


def _candidate(machine: str, host: HostSettings) -> str:
    """Return the directory of these files: other files are in another one."""
    text = "\0".join(part for pair in sorted(files(machine, host).items()) for part in pair)
    return f"{DIRECTORY}/{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _shell(machine: str, host: HostSettings) -> str:
    given = host.interfaces
    made = [name for name, each in given.items() if each.bond or each.vlan]
    members = {member: each.mtu for each in given.values() if each.bond for member in each.bond.members}
    mtus = {**{name: each.mtu for name, each in given.items()}, **members}
    return shell(
        __file__,
        "foreign_owners",
        "interfaces",
        wanted=_candidate(machine, host),
        interfaces=" ".join(given),
        devices=" ".join(made),
        cables=" ".join([*(name for name in given if name not in made), *members]),
        address=str(host.address),
        way_out=" ".join(str(each.gateway) for each in given.values() if each.gateway),
        mtus=" ".join(f"{name}={mtu}" for name, mtu in mtus.items() if mtu),
        have=" ".join(f"{name}={address.ip}" for name, each in given.items() for address in each.addresses),
    )


def _loaded(candidate: str) -> str:
    return f'[[ -e {_LOADED} && $(<{_LOADED}) == "{candidate.rpartition("/")[2]}" ]]'


def _load(candidate: str) -> str:
    """Return shell that loads the files.

    In a unit of its own: the connection may end while it runs. It is taken back at once where an address does not come
    up, or the gateway does not answer.
    """
    trial = _TRIAL.begin(arrived=_ARRIVED, undo=f"  {LOAD} {KEPT}")
    return f"""
port=${{SSH_CONNECTION##* }} client=${{SSH_CONNECTION%% *}}
{_TRIAL.stop}
ss -Htn state established sport = ":$port" | awk '{{ print $NF }}' >{_PEERS}
{trial}
systemd-run --quiet --collect --wait --unit=henhouse-interfaces-load -- {LOAD} {candidate}
for ((end = SECONDS + {_UP_SECONDS}; SECONDS < end; )); do
  found=$(differences)
  if [[ -z $found ]]; then found=$(silent_gateway); fi
  if [[ -z $found ]]; then exit 0; fi
  sleep 0.1
done
systemd-run --quiet --collect --wait --unit=henhouse-interfaces-unload -- {LOAD} {KEPT}
{_TRIAL.stop}
echo "${{found//$'\\n'/, }}: the interfaces are again as they were before"
exit 1"""


def _keep(candidate: str) -> str:
    """Return shell that makes them those of the next boot, all at once: a boot in the middle of it has the old ones."""
    return f"""{_TRIAL.stop}
if ! {_loaded(candidate)}; then
  echo 'the new network interfaces are not in force: they were taken back, because they kept this program out, or'
  echo 'because the machine was rebooted meanwhile. HENHOUSE_PROBE=1 pulumi up (make repair) loads them once more'
  exit 1
fi
sync {candidate}/* {candidate}
ln --symbolic --force --no-dereference {candidate} {KEPT}.new
mv --force --no-target-directory {KEPT}.new {KEPT}
sync {DIRECTORY}
find {DIRECTORY} -mindepth 1 -maxdepth 1 -type d -name '{_DIGEST}' ! -path {candidate} -exec rm -rf -- {{}} +"""
