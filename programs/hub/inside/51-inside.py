"""Culling of kernels and terminals where groups have other limits: each server has the limits of its person."""

from collections.abc import Sequence
from typing import Any

from henhouse_hub import c, site
from inside_limits import arguments, limits_inside, with_limits

cull = site["cull"]


# Of whichever spawner the fragments before this one chose.
class Limited(c.JupyterHub.spawner_class):
    """A spawner whose servers stop kernels and terminals as the groups say in which their person is at the start."""

    args: Any
    limits_inside: Sequence[str] = cull["inside"]
    """The limits among the arguments: everyone's (50-culling.py) until a start."""

    def start(self) -> Any:
        """Start. A profile of the site's own that sets `args` replaces them later, with everyone's as well."""
        groups = {group.name for group in self.user.groups}
        limits = arguments(limits_inside(cull["limits_inside"], groups))
        self.args = with_limits(self.args, limits, self.limits_inside)
        self.limits_inside = limits
        return super().start()


c.JupyterHub.spawner_class = Limited
