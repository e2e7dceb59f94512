"""Images that machines remove because the settings name them; the kubelet removes others when it needs their room."""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi

from components.contracts.machines import Machine
from components.templates import shell
from converge.host_state import apply
from converge.items import Script
from converge.role import Role
from programs.hub.image_names import canonical, names_of, repository_of
from stacks.settings import HubSettings, Site

ROLE: Final = "old-images"
_CHECK: Final = """
look || { echo 'containerd does not say what it has'; exit 1; }
found=$(to_remove)
echo "${found//$'\\n'/, }"
[[ -z $found ]]"""
_APPLY: Final = """
look
mapfile -t names < <(to_remove)
ctr --namespace k8s.io images remove --sync "${names[@]}" >/dev/null"""


def old_images(hub: HubSettings) -> Role | None:
    """Return the role of a machine without the images of the settings; None where they name none.

    An image of which there is a container stays, and is not a difference. The next `up` looks again.
    """
    if not hub.images_to_remove:
        return None
    old = {canonical(each) for each in hub.images_to_remove}
    names = {name for each in hub.images_to_remove for name in (*names_of(each), repository_of(each))}
    common = shell(__file__, "old-images", old="\n".join(sorted(old)), names="\n".join(sorted(names)))
    return Role(ROLE, (Script("old images are gone", check=f"{common}{_CHECK}", apply=f"{common}{_APPLY}"),))


def remove_old_images(
    site: Site, machines: Mapping[str, Machine], *, parent: pulumi.Resource, after: Sequence[pulumi.Resource]
) -> None:
    """Have machines for people remove the images that the settings name, after the resources `after`."""
    if role := old_images(site.hub):
        for name in site.workers_for("user"):
            apply(machines[name], role, parent=parent, after=after)
