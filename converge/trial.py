"""A change of a machine that takes itself back, because it may keep this program out.

One role makes the change and starts a timer that takes it back. The next role has to come by a connection of its own,
as every role does: it stops the timer and keeps the change. When it cannot come, the timer ends. A boot is to bring
what was kept.
"""

from dataclasses import dataclass
from typing import Final

SECONDS: Final = 30
"""How long a change lasts without a new SSH connection."""
PATIENCE_SECONDS: Final = 600
"""How long it lasts when there was one: the next role may wait for others of a slow machine."""


@dataclass(frozen=True)
class Trial:
    """One kind of such a change."""

    unit: str
    """The name of the timer, and of the service that takes the change back."""

    @property
    def stop(self) -> str:
        """Shell that ends it: the change stays as it is now."""
        return f"systemctl stop {self.unit}.timer {self.unit}.service 2>/dev/null || true"

    @property
    def runs(self) -> str:
        """Shell that succeeds while the change may still be taken back."""
        return f"systemctl is-active --quiet {self.unit}.timer {self.unit}.service"

    def begin(self, *, arrived: str, undo: str) -> str:
        """Return shell that starts the timer; the change comes after it.

        `arrived` succeeds when there was a new connection. `undo`, lines of shell, takes the change back. Both are
        between double quotes, and run by sh: what they name of the role's own shell has its value of now.
        """
        return f"""\
timer=(--collect --unit={self.unit} --on-active={SECONDS} --timer-property=AccuracySec=100ms)
systemd-run --quiet "${{timer[@]}}" -- /bin/sh -c "
  if {arrived}; then
    sleep {PATIENCE_SECONDS - SECONDS}
  fi
{undo}\""""
