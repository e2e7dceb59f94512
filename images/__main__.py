"""The command line of `make images`."""

import argparse
import json
import sys

from images.build import Built, build
from images.push import push, target
from images.recipe import BUILT_HERE
from images.report import COLUMNS, as_data, rows
from lab import host
from lab.rack import RackError
from ops.tables import console, table

NEEDED = ("buildah", "debian-archive-keyring", "mmdebstrap", "skopeo")
"""Debian packages of the computer that builds."""


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    found = argparse.ArgumentParser(
        prog="python -m images",
        description="Build the images of user servers, run a cell in each kernel, and print their sizes. Ends with 1 "
        "when one cannot be built or does not work.",
    )
    names = [recipe.name for recipe in BUILT_HERE]
    found.add_argument("names", nargs="*", metavar="IMAGE", help=f"of {', '.join(names)} (default: all)")
    found.add_argument("--json", action="store_true", help="print data instead of a table")
    found.add_argument("--registry", metavar="HOST[:PORT][/PATH]", help="push to this registry, too")
    found.add_argument("--tag", help="the tag there (default: one that changes with the recipe)")
    found.add_argument("--plain-http", action="store_true", help="the registry speaks no TLS")
    return found


def main(arguments: list[str]) -> int:
    """Do it, and return the exit status."""
    options = parser().parse_args(arguments)
    wanted = [recipe for recipe in BUILT_HERE if recipe.name in (options.names or recipe.name)]
    if unknown := set(options.names) - {recipe.name for recipe in BUILT_HERE}:
        parser().error(f"no such image: {', '.join(sorted(unknown))}")
    try:
        if options.registry:  # before hours of building
            target(options.registry, wanted[0].name, options.tag or "0")
        host.install_packages(NEEDED)
        built = [build(recipe) for recipe in wanted]
        pushed = {image.recipe.name: _push(image, options) for image in built} if options.registry else {}
    except (RackError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(as_data(built, pushed), indent=2))
    else:
        console().print(table(COLUMNS, rows(built)))
        for name in pushed.values():
            print(f"pushed: {name}")
    return 0


def _push(image: Built, options: argparse.Namespace) -> str:
    return push(image, options.registry, options.tag, plain_http=options.plain_http)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
