"""How the packet filter comes into force without locking anyone out.

One role loads the rules, with a timer that takes them back. The next role has to come by a connection of its own, as
every role does: it stops the timer and keeps the rules for the next boot. When it cannot come, the timer ends.
"""

from typing import Final

from components.templates import render
from converge.items import Directory, File, Package, Script, Unit
from converge.role import Fact, Role

KEEPING: Final = "firewall-kept"
"""Name of the role that keeps the rules."""
DIRECTORY: Final = "/etc/henhouse/firewall"
CANDIDATE: Final = f"{DIRECTORY}/candidate.nft"
KEPT: Final = f"{DIRECTORY}/kept.nft"
"""What is loaded at boot: rules under which this program has reached the machine."""
SECONDS: Final = 30
"""How long new rules last without a new SSH connection."""
PATIENCE_SECONDS: Final = 600
"""How long they last when there was one: the next role may wait for others of a slow machine."""

_UNIT: Final = "henhouse-firewall.service"
_ROLLBACK: Final = "henhouse-firewall-rollback"
_LOADED: Final = "/run/henhouse-firewall.loaded"
"""Digests of the file that was loaded and of the table that it made; gone when the rules were taken back."""
_BEFORE: Final = "/run/henhouse-firewall.before"

_DIGESTS: Final = f"""\
digests() {{
  sha256sum <{CANDIDATE}
  nft --stateless list table inet henhouse 2>/dev/null | sha256sum
}}
"""
_STOP_ROLLBACK: Final = f"systemctl stop {_ROLLBACK}.timer {_ROLLBACK}.service 2>/dev/null || true"
# The SSH server's port is the last word of SSH_CONNECTION (ssh(1)). Connections that were there before are not counted.
_LOAD: Final = f"""\
{_DIGESTS}
port=${{SSH_CONNECTION##* }}
{_STOP_ROLLBACK}
nft --stateless list table inet henhouse >{_BEFORE} 2>/dev/null || : >{_BEFORE}
timer=(--collect --unit={_ROLLBACK} --on-active={SECONDS} --timer-property=AccuracySec=100ms)
systemd-run --quiet "${{timer[@]}}" -- /bin/sh -c "
  if nft list chain inet henhouse input | grep -q 'tcp dport $port counter packets [1-9]'; then
    sleep {PATIENCE_SECONDS - SECONDS}
  fi
  rm -f {_LOADED}
  nft delete table inet henhouse
  nft --file {_BEFORE}"
nft --file {CANDIDATE}
digests >{_LOADED}"""
_KEEP: Final = f"""\
{_STOP_ROLLBACK}
if [[ ! -e {_LOADED} ]]; then
  echo 'the new rules of the packet filter are not in force: they were taken back, because they kept this program out,'
  echo 'or because the update was interrupted. HENHOUSE_PROBE=1 pulumi up (make repair) loads them once more'
  exit 1
fi
install --mode=0640 {CANDIDATE} {KEPT}.new
sync {KEPT}.new
mv --force {KEPT}.new {KEPT}"""


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
  && ! systemctl is-active --quiet {_ROLLBACK}.timer {_ROLLBACK}.service \\
  && [[ -e {_LOADED} && $(digests) == "$(<{_LOADED})" ]]""",
                apply=f"# after run {run}\n{_KEEP}",
            ),
            File(f"/etc/systemd/system/{_UNIT}", render(__file__, _UNIT, kept=KEPT, loaded=_LOADED)),
            Unit(_UNIT),
        ),
    )
