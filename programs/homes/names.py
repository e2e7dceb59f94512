"""What people and their homes may be called. A person's home has the name that they log in with."""

from typing import Final

HOME: Final = r"[a-z0-9][a-z0-9._-]{0,62}"
"""No capitals, no slash, no leading dot; 63 characters, which a label of a pod may have (RFC 1123)."""
LOGIN: Final = r"[a-z][a-z0-9._-]{0,62}"
"""An account's name begins with a letter, so that no program takes it for a numeric user id."""
