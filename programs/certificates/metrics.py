"""When certificates end, in Prometheus's text format, for node_exporter's textfile collector.

components/certificates/alerts.yml has a rule for each metric; a test holds that.
"""

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .dates import Unreadable, Validity, validity
from .spec import Spec

DIRECTORY: Final = "/var/lib/prometheus/node-exporter"
"""Where Debian's prometheus-node-exporter looks for text files."""

HELP: Final = {
    "henhouse_certificate_not_before_timestamp_seconds": "When the certificate became valid.",
    "henhouse_certificate_not_after_timestamp_seconds": "When the certificate ends; 0 when it cannot be read.",
}


def measure(spec: Spec) -> dict[str, Validity]:
    """Return the validity of each certificate that is there, by name. One that cannot be read has ended in 1970."""
    found = {}
    for name, certificate in spec.certificates.items():
        try:
            seen = validity(Path(certificate.path))
        except Unreadable as error:
            print(f"henhouse-certificates: {error}", file=sys.stderr)
            seen = Validity(0, 0)
        if seen is not None:
            found[name] = seen
    return found


def render(spec: Spec, found: Mapping[str, Validity]) -> str:
    """Return the text for these certificates."""
    lines = []
    for metric, text in HELP.items():
        lines += [f"# HELP {metric} {text}", f"# TYPE {metric} gauge"]
        for name, seen in found.items():
            labels = f'certificate="{name}",renewer="{spec.certificates[name].renewer}"'
            value = seen.begins if metric == next(iter(HELP)) else seen.ends
            lines.append(f"{metric}{{{labels}}} {value}")
    return "\n".join(lines) + "\n"


def write(spec: Spec, directory: Path) -> None:
    """Replace the group's file at once, so that the exporter never reads half of it."""
    text = render(spec, measure(spec))
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=directory, prefix=".", delete=False, encoding="utf-8") as new:
        new.write(text)
    os.chmod(new.name, 0o644)
    os.replace(new.name, directory / f"henhouse_certificates_{spec.name}.prom")
