"""What rooms with certificates have in common: they tell Prometheus when those end, and share the alerts on it."""

from collections.abc import Iterator, Mapping
from typing import Final

from components.contracts.watched import Watched, alert_rules
from components.templates import render
from converge.items import Directory, File, Item, Package, Unit
from converge.program import command, installed, path_of
from programs import certificates
from programs.certificates.spec import Spec

PROGRAM: Final = path_of(certificates)
SPECS: Final = "/etc/henhouse/certificates"
SYSTEM: Final = "/etc/systemd/system"

UP: Final = "pulumi up"
"""The renewer, in an alert, of what the stack's authority signs."""
HAND: Final = "hand"
"""The renewer, in an alert, of what lasts for ten years."""


def spec_path(name: str) -> str:
    """Return where the program finds a group of certificates."""
    return f"{SPECS}/{name}.json"


def told(spec: Spec) -> Iterator[Item]:
    """Yield the items by which the machine reports when a group's certificates end, in the exporter's text files."""
    yield Package("python3")
    yield Package("openssl")
    yield from installed(certificates)
    yield command(certificates)
    yield Directory(SPECS)
    yield File(spec_path(spec.name), spec.text())
    service, timer = "henhouse-certificates@.service", "henhouse-certificates@.timer"
    yield File(f"{SYSTEM}/{service}", render(__file__, service, program=PROGRAM, specs=SPECS))
    yield File(f"{SYSTEM}/{timer}", render(__file__, timer))
    # Its start reports at once.
    restart_on = (spec_path(spec.name), f"{SYSTEM}/{timer}")
    yield Unit(f"henhouse-certificates@{spec.name}.timer", restart_on=restart_on)


def rules() -> Mapping[str, str]:
    """Return the alert rules on certificates of every group."""
    return alert_rules("certificate-files", __file__)


def watched() -> Watched:
    """Alert rules alone: the dates are among what the machine's node exporter says (`henhouse_certificate_*`)."""
    return Watched(rules=rules())
