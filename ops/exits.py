"""How the commands end that compare what is with what should be."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit statuses, as diff(1) has them."""

    SAME = 0
    DIFFERENT = 1
    UNSEEN = 2
    """Something could not be looked at."""
