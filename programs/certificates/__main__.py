"""`henhouse-certificates metrics|check|renew SPEC`: the certificates of a file of settings.

`metrics` tells Prometheus when they end. `check` prints on one line what should have been renewed by now, and ends with
1 when there is anything. `renew` renews what is due; it may be cut short at any time and run again.
"""

import sys
from pathlib import Path

from . import metrics
from .renewal import Failed, Renewer
from .spec import Spec


def main(arguments: list[str]) -> int:
    """Run one verb and return the exit status."""
    if len(arguments) != 2 or arguments[0] not in ("metrics", "check", "renew"):
        print("usage: henhouse-certificates metrics|check|renew SPEC", file=sys.stderr)
        return 2
    verb, spec = arguments[0], Spec.read(Path(arguments[1]))
    if verb == "metrics":
        metrics.write(spec, Path(metrics.DIRECTORY))
        return 0
    if spec.renewal is None:
        print(f"henhouse-certificates: the certificates of {arguments[1]} are renewed elsewhere", file=sys.stderr)
        return 2
    renewer = Renewer(spec, spec.renewal)
    if verb == "check":
        found = list(renewer.complaints())
        print("; ".join(found))
        return 1 if found else 0
    try:
        renewer.renew()
    except Failed as error:
        print(f"henhouse-certificates: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
