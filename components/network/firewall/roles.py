"""How the packet filter comes into force without locking anyone out.

One role loads the rules, with a timer that takes them back. The next role has to come by a connection of its own, as
every role does: it stops the timer and keeps the rules for the next boot. When it cannot come, the timer ends.

Who is in the sets that the rules name comes before, by a role of its own. It needs no timer: no set has a say in who
may connect by SSH.
"""

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import Final

from components.network.firewall.ruleset import MEMBERS
from components.templates import render
from converge.items import Directory, File, Item, Package, Script, Unit
from converge.role import Fact, Role
from converge.trial import Trial

KEEPING: Final = "firewall-kept"
"""Name of the role that keeps the rules."""
DIRECTORY: Final = "/etc/henhouse/firewall"
CANDIDATE: Final = f"{DIRECTORY}/candidate.nft"
KEPT: Final = f"{DIRECTORY}/kept.nft"
"""What is loaded at boot: rules under which this program has reached the machine."""

_UNIT: Final = "henhouse-firewall.service"
_TRIAL: Final = Trial("henhouse-firewall-rollback")
_LOADED: Final = "/run/henhouse-firewall.loaded"
"""Digests of the file that was loaded and of the table that it made; gone when the rules were taken back."""
_BEFORE: Final = "/run/henhouse-firewall.before"
_MEMBERS_LOADED: Final = "/run/henhouse-firewall.members"
"""The same of the members' file and of the sets that it made."""

# Of a file on standard input, and of what is in force: the rules without the members of sets, or the sets alone.
_OF_RULES: Final = "{ sha256sum; nft --stateless --terse list table inet henhouse | sha256sum; }"
_SETS: Final = r'sed --quiet "/^\tset .* {/,/^\t}/p"'
_OF_MEMBERS: Final = f"{{ sha256sum; nft --stateless list table inet henhouse | {_SETS} | sha256sum; }}"
_DIGESTS: Final = f"""\
digests() {_OF_RULES} <{CANDIDATE} 2>/dev/null
digests_of_members() {_OF_MEMBERS} <{MEMBERS} 2>/dev/null
"""
_ARRIVED: Final = "nft list chain inet henhouse input | grep -q 'tcp dport $port counter packets [1-9]'"
_UNDO: Final = f"""\
  rm -f {_LOADED}
  nft delete table inet henhouse
  nft --file {_BEFORE}"""
# The SSH server's port is the last word of SSH_CONNECTION (ssh(1)). Connections that were there before are not counted.
_LOAD: Final = f"""\
{_DIGESTS}
port=${{SSH_CONNECTION##* }}
{_TRIAL.stop}
nft --stateless list table inet henhouse >{_BEFORE} 2>/dev/null || : >{_BEFORE}
{_TRIAL.begin(arrived=_ARRIVED, undo=_UNDO)}
nft --file {CANDIDATE}
digests >{_LOADED}
digests_of_members >{_MEMBERS_LOADED}"""
_KEEP: Final = f"""\
{_TRIAL.stop}
if [[ ! -e {_LOADED} ]]; then
  echo 'the new rules of the packet filter are not in force: they were taken back, because they kept this program out,'
  echo 'or because the update was interrupted. HENHOUSE_PROBE=1 pulumi up (make repair) loads them once more'
  exit 1
fi
install --mode=0640 {CANDIDATE} {KEPT}.new
sync {KEPT}.new
mv --force {KEPT}.new {KEPT}"""


_WAY: Final = r"""
number() {
  local IFS=. parts
  read -r -a parts <<<"$1"
  echo $(((parts[0] << 24) + (parts[1] << 16) + (parts[2] << 8) + parts[3]))
}
from=${SSH_CONNECTION%% *}
echo "it comes from $from"
[[ $from =~ ^[0-9]+(\.[0-9]+){3}$ ]] || exit 1
for network in NETWORKS; do
  host_bits=$((32 - ${network#*/}))
  if (($(number "$from") >> host_bits == $(number "${network%/*}") >> host_bits)); then exit 0; fi
done
exit 1"""
"""NETWORKS stands for those that the program may come from."""
_WAY_CLOSES: Final = """
echo "This program reaches the machine through the gateway, from ${SSH_CONNECTION%% *}. network.nat closes that way." \\
  "Write network.administrators: [${SSH_CONNECTION%% *}/32], or run the program in the machines' network."
exit 1"""


def let_in(sets: str, way: Sequence[IPv4Network] = ()) -> Role:
    """Return the role by which the sets of a machine's rules have their members; `sets` is `ruleset.members`.

    `way` is where this program may come from; empty for anywhere. The role fails when it comes from elsewhere, before a
    gateway that translates addresses closes that way.
    """
    networks = " ".join(map(str, way))
    open_way = Script("the program's way in stays open", check=_WAY.replace("NETWORKS", networks), apply=_WAY_CLOSES)
    first: tuple[Item, ...] = (open_way,) if way else ()
    return Role(
        "firewall-members",
        (
            *first,
            Package("nftables"),
            Directory(DIRECTORY, mode="0750"),
            File(MEMBERS, sets, mode="0640", validate='nft --check --file "$NEW"'),
            Script(
                "members are in force",
                check=f'{_DIGESTS}\n[[ -e {_MEMBERS_LOADED} && $(digests_of_members) == "$(<{_MEMBERS_LOADED})" ]]',
                apply=f"{_DIGESTS}\nnft --file {MEMBERS}\ndigests_of_members >{_MEMBERS_LOADED}",
            ),
        ),
    )


def loading(rules: str) -> Role:
    """Return the role that loads the rules, and takes them back unless `keeping` comes."""
    return Role(
        "firewall",
        (
            Package("nftables"),
            Directory(DIRECTORY, mode="0750"),
            File(CANDIDATE, rules, mode="0640", validate='nft --check --file "$NEW"'),
            Script(
                "rules are loaded",
                check=f'{_DIGESTS}\n[[ -e {_LOADED} && $(digests) == "$(<{_LOADED})" ]]',
                apply=_LOAD,
            ),
        ),
        # Other at each run: the role that keeps the rules runs after every one that loads them.
        facts=(Fact("run", "cat /proc/sys/kernel/random/uuid", lasting=False),),
    )


def keeping(run: str) -> Role:
    """Return the role that keeps rules which let this program in; `run` is a fact of the role that loaded them."""
    return Role(
        KEEPING,
        (
            # First: the machine may be slow, and the time runs.
            Script(
                "these rules are kept",
                check=f"""\
{_DIGESTS}
cmp --silent {CANDIDATE} {KEPT} \\
  && ! {_TRIAL.runs} \\
  && [[ -e {_LOADED} && $(digests) == "$(<{_LOADED})" ]]""",
                apply=f"# after run {run}\n{_KEEP}",
            ),
            File(f"/etc/systemd/system/{_UNIT}", _unit()),
            Unit(_UNIT),
        ),
    )


def _unit() -> str:
    """Return the unit that loads the kept rules at boot, and notes what that made."""
    return render(
        __file__,
        _UNIT,
        kept=KEPT,
        loaded=_LOADED,
        members=MEMBERS,
        members_loaded=_MEMBERS_LOADED,
        digests_of_rules=_OF_RULES,
        digests_of_members=_OF_MEMBERS,
    )
