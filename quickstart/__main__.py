"""``python -m quickstart``: build the virtual rack, bring the dev stack up on it, and say how to log in."""

import argparse
import sys
from typing import Final

from lab.progress import release_terminal, say
from lab.rack import RackError
from quickstart.up import up

STACK: Final = "dev"


def main(arguments: list[str]) -> int:
    """Do what the command line says; 1 when it could not, 130 when it was interrupted."""
    parser = argparse.ArgumentParser(prog="python -m quickstart", description=__doc__)
    parser.add_argument("--stack", default=STACK, help=f"only {STACK}, the rack's own (default)")
    parser.add_argument("--weights", metavar="FILE", help="write what each stage took, as lab/weights.toml has it")
    options = parser.parse_args(arguments)
    try:
        if options.stack != STACK:
            raise RackError(
                f"`make up` builds the virtual rack and its stack {STACK!r}, and never changes another: "
                f"for {options.stack!r} use `pulumi up --stack {options.stack}`"
            )
        return up(STACK, options.weights)
    except (RackError, OSError) as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; run `make up` again to resume where this one stopped, or `make down` to remove everything")
        return 130
    finally:
        release_terminal()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
