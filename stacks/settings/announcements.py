"""What the hub announces."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints

from stacks.settings.types import Model, seen

PLACES: Final = ("everywhere", "login", "spawn", "home", "logout")
MOST: Final = 20
"""More would fill the page before what people came for."""
AnnouncedText = Annotated[
    str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True), AfterValidator(seen)
]


class AnnouncementSettings(Model):
    """One announcement."""

    text: AnnouncedText
    """What people read, as text: `<` and `&` are shown as they are written."""
    level: Literal["info", "warning", "danger"] = "info"
    """How it looks; `warning` and `danger` are read out at once by screen readers."""
    where: tuple[Literal["everywhere", "login", "spawn", "home", "logout"], ...] = Field(
        default=("everywhere",), min_length=1
    )
    """On which pages. `login` is seen by everyone, also after a logout, `spawn` before and while a server starts,
    `home` on a person's own page; `everywhere` is every page of the hub. `logout` is a page that JupyterHub shows only
    with `auto_login`, which a fragment may set."""


Announcements = Annotated[tuple[AnnouncementSettings, ...], Field(max_length=MOST)]
