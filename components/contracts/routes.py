"""A public name, and the Service behind it."""

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class Route:
    """A name that the edge answers for, and the Service behind it."""

    host: str
    namespace: pulumi.Output[str]
    service: pulumi.Output[str]
    port: int
