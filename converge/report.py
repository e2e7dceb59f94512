"""What a look at machines, or at a cluster, has found."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Difference:
    """One thing that has drifted."""

    machine: str
    """Its name; `cluster` for an object of Kubernetes."""
    role: str
    """The role; the kind of an object of Kubernetes."""
    item: str
    expected: str
    found: str
    urn: str = field(default="", compare=False, repr=False)
    """The resource whose update puts it right. No part of what is printed or hashed."""


@dataclass(frozen=True)
class NotChecked:
    """A role, or a cluster, that could not be looked at."""

    machine: str
    role: str
    reason: str
