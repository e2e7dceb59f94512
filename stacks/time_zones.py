"""Time zones that a Debian 13 machine has: those of tzdata, without the old names that moved to tzdata-legacy."""

from functools import cache
from importlib.resources import files
from typing import Final

EXAMPLES: Final = "Europe/Berlin, America/Los_Angeles or Etc/UTC"


@cache
def zones() -> frozenset[str]:
    """Return the names in use today: one or more for every country (zone.tab), and those of Etc."""
    table = files("tzdata").joinpath("zoneinfo/zone.tab").read_text().splitlines()
    countries = {line.split("\t")[2] for line in table if line and not line.startswith("#")}
    fixed = {f"Etc/GMT{offset:+}" for offset in range(-14, 13) if offset}
    return frozenset({*countries, *fixed, "UTC", "Etc/UTC", "Etc/GMT"})


@cache
def renamed() -> dict[str, str]:
    """Today's name by the old one, as the database links them."""
    lines = files("tzdata").joinpath("zoneinfo/tzdata.zi").read_text().splitlines()
    links = {old: new for line in lines if line.startswith("L ") for _, new, old in [line.split()]}
    return {old: new for old, new in links.items() if old not in zones()}


def check_time_zone(name: str) -> str:
    """Return the name; ValueError for a name that machines do not know, with the current name of a renamed zone."""
    if name in zones():
        return name
    if today := renamed().get(name):
        raise ValueError(f"is an old name that Debian 13 does not install; write {today}")
    raise ValueError(f"is not a time zone; write one such as {EXAMPLES}")
