"""Roles: what must be true of a machine, as data. What that means in shell is up to the items."""

from collections.abc import Sequence
from dataclasses import dataclass

from converge.item import Item


@dataclass(frozen=True)
class Fact:
    """Something that the machine alone knows: `command` prints it on one line; it becomes an output of the role.

    A machine whose fact is another than the stack holds has drifted, unless the fact is not a `lasting` one: such a
    fact changes by itself, and what depends on it needed it once.
    """

    name: str
    command: str
    lasting: bool = True


@dataclass(frozen=True)
class Role:
    """What must be true of a machine for one purpose; items are applied in order."""

    name: str
    items: Sequence[Item]
    facts: Sequence[Fact] = ()
    secret_facts: bool = False
    """True when a fact is itself a secret: the role's outputs are then encrypted in the state."""
    remembers: bool = False
    """True when the role's own shell reads `applied_before`. It is `yes` whenever the stack knows that the role was
    true of this machine before, whatever the machine itself has lost, and not set the first time."""
