"""How the packet filter comes into force without locking anyone out.

One role loads the rules, with a timer that takes them back. The next role has to come by a connection of its own, as
every role does: it stops the timer and keeps the rules for the next boot. When it cannot come, the timer ends.
"""

import hashlib
from typing import Final

from components.templates import render
from converge.items import Directory, File, Package, Script, Unit
from converge.role import Role

DIRECTORY: Final = "/etc/henhouse/firewall"
CANDIDATE: Final = f"{DIRECTORY}/candidate.nft"
KEPT: Final = f"{DIRECTORY}/kept.nft"
"""What is loaded at boot: rules under which this program has reached the machine."""
SECONDS: Final = 30
"""How long new rules last without a new connection."""

_UNIT: Final = "henhouse-firewall.service"
_TIMER: Final = "henhouse-firewall-rollback"
_LOADED: Final = "/run/henhouse-firewall.loaded"
"""Digests of the file that was loaded and of the table that it made; gone when the rules were taken back."""
_BEFORE: Final = "/run/henhouse-firewall.before"

_DIGESTS: Final = f"""\
digests() {{
  sha256sum <{CANDIDATE}
  nft --stateless list table inet henhouse 2>/dev/null | sha256sum
}}
"""


def loading(rules: str) -> Role:
    """Return the role that loads the rules, and takes them back after `SECONDS` unless `keeping` comes."""
    return Role(
        "firewall",
        (
            Package("nftables"),
            Directory(DIRECTORY, mode="0750"),
            File(CANDIDATE, rules, mode="0640", validate='nft --check --file "$NEW"'),
            Script(
                "rules are loaded",
                check=f'{_DIGESTS}\n[[ -e {_LOADED} && $(digests) == "$(<{_LOADED})" ]]',
                apply=f"""\
{_DIGESTS}
systemctl stop {_TIMER}.timer {_TIMER}.service 2>/dev/null || true
nft --stateless list table inet henhouse >{_BEFORE} 2>/dev/null || : >{_BEFORE}
systemd-run --quiet --collect --unit={_TIMER} --on-active={SECONDS} --timer-property=AccuracySec=100ms -- /bin/sh -c \\
  'rm -f {_LOADED}; nft delete table inet henhouse; nft --file {_BEFORE}'
nft --file {CANDIDATE}
digests >{_LOADED}""",
            ),
        ),
    )


def keeping(rules: str) -> Role:
    """Return the role that keeps rules which let this program in."""
    return Role(
        "firewall-kept",
        (
            # First: the machine may be slow, and the timer runs.
            Script(
                "these rules are kept",
                check=f"""\
{_DIGESTS}
cmp --silent {CANDIDATE} {KEPT} \
  && ! systemctl is-active --quiet {_TIMER}.timer \
  && [[ -e {_LOADED} && $(digests) == "$(<{_LOADED})" ]]""",
                apply=f"""\
if [[ ! -e {_LOADED} ]]; then
  echo 'the new rules of the packet filter kept this program out, and were taken back after {SECONDS} s'
  echo 'change network.openings, or load them once more with: HENHOUSE_PROBE=1 pulumi up'
  exit 1
fi
systemctl stop {_TIMER}.timer
install --mode=0640 {CANDIDATE} {KEPT}""",
            ),
            File(f"/etc/systemd/system/{_UNIT}", render(__file__, _UNIT, kept=KEPT)),
            # A new text of the rules is a new text of this role, so that it comes after each load.
            File(f"{DIRECTORY}/kept", f"{_digest(rules)}\n"),
            Unit(_UNIT),
        ),
    )


def _digest(rules: str) -> str:
    return hashlib.sha256(rules.encode()).hexdigest()
