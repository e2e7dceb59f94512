"""What else may have the last word at boot: it is switched off for good, or named and refused."""

from ipaddress import IPv4Address
from typing import Final

from components.templates import shell
from converge.items import File, Script
from converge.role import Role

CLOUD_INIT: Final = "/etc/cloud/cloud-init.disabled"
APT: Final = "/etc/apt/apt.conf.d/zz-henhouse"
_REBOOT: Final = "Unattended-Upgrade::Automatic-Reboot"

_REFUSED_FILTERS: Final = """
found=$(other_filters)
echo "${found//$'\\n'/, } decides beside the packet filter of henhouse which ports of this machine answer. Write"
echo 'what it opens into network.openings of the settings, then: systemctl disable --now' "${found//$'\\n'/ }"
exit 1
"""
_REFUSED_OWNERS: Final = """
all_owners
echo 'After each boot, the one that comes last wins. Keep one, and take the interface from the other: delete its'
echo 'file or stanza, or switch its service off with systemctl disable --now'
exit 1
"""


def boot(address: IPv4Address) -> Role:
    """Return the role in which a boot leaves the machine as the program has made it.

    Decided: cloud-init, which would rewrite /etc/hosts, the network, host keys and users, is off; the files that it has
    written stay. Packages may be upgraded unattended, except those that are held; the machine is never rebooted by
    that. A second packet filter and a second owner of the machine's interface are refused by name.
    """
    owners = shell(__file__, "foreign_owners", "owners", address=str(address))
    return Role(
        "boot",
        (
            _named("cloud-init is not needed", "cloud-init", "cloud_init_rules"),
            File(CLOUD_INIT, "Written by henhouse: cloud-init would undo at boot what henhouse has made.\n"),
            # Of equal settings apt takes the one in the last file (apt.conf(5)).
            File(APT, f'{_REBOOT} "false";\n{_REBOOT}-WithUsers "false";\n'),
            Script(
                "no unattended reboot",
                check=f'found=$(apt-config dump --format "%v%n" {_REBOOT}); echo "$found"; [[ $found == false ]]',
                apply=f"grep --recursive --line-number Automatic-Reboot /etc/apt/apt.conf /etc/apt/apt.conf.d\n"
                f"echo 'one of these files is read after {APT}: remove the line'\nexit 1",
            ),
            Script(
                "one packet filter",
                check=f"{shell(__file__, 'filters')}\n{_nothing('other_filters')}",
                apply=f"{shell(__file__, 'filters')}\n{_REFUSED_FILTERS}",
            ),
            Script(
                "one owner of the network interface",
                check=f"{owners}\n{_nothing('all_owners')}",
                apply=f"{owners}\n{_REFUSED_OWNERS}",
            ),
        ),
    )


def _nothing(function: str) -> str:
    """Return a check that shows what a function prints, and fails when that is anything."""
    return f"found=$({function})\necho \"${{found//$'\\n'/, }}\"\n[[ -z $found ]]"


def _named(name: str, file: str, function: str) -> Script:
    """Return an item that is refused, in the words that a function of a shell file prints."""
    text = shell(__file__, file, root="")
    return Script(name, check=f"{text}\n{_nothing(function)}", apply=f"{text}\n{function}\nexit 1")
