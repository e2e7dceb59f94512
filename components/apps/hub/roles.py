"""What the hub needs of the machine that keeps its database."""

from typing import Final

from converge.items import Script
from converge.role import Role

DATABASE_PATH: Final = "/var/lib/henhouse/hub"
"""On the machine."""
HUB_USER: Final = 1000
"""The user of Zero to JupyterHub's image (NB_UID)."""


def database_directory() -> Role:
    """A directory for sqlite that only the hub can read: it holds people's password hashes.

    Its owner is a number because the account is the image's and not the machine's.
    """
    wanted = f"700 {HUB_USER} {HUB_USER}"
    owner_and_mode = Script(
        f"directory {DATABASE_PATH}",
        check=(
            f"found=$(stat --format='%a %u %g' {DATABASE_PATH} 2>&1) || true\n"
            f"[[ $found == '{wanted}' ]] || {{ printf '%s' \"$found\"; exit 1; }}"
        ),
        apply=f"install --directory --mode=700 --owner={HUB_USER} --group={HUB_USER} {DATABASE_PATH}",
    )
    return Role("hub-database", (owner_and_mode,))
