"""What people and their homes may be called, and which numbers they have."""

from typing import Final

HOME: Final = r"[a-z0-9][a-z0-9._-]{0,62}"
"""No capitals, no slash, no leading dot; 63 characters, which a label of a pod may have (RFC 1123)."""
LOGIN: Final = r"[a-z][a-z0-9._-]{0,62}"
"""An account's name begins with a letter, so that no program takes it for a numeric user id."""

ACCOUNT_UIDS: Final = range(2**29, 2**30)
"""User ids of people whose provider numbers its accounts: the first plus the account's number. The file server gives
them to no other account."""
ORGANIZATION_GIDS: Final = range(2**30, 2**31 - 1)
"""Group ids of a provider's organizations: the first plus the organization's number. GitHub numbers people and
organizations in one row, so neither number is used as it is."""
