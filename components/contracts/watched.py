"""What is watched, and what is then worth an alert."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pulumi


@dataclass(frozen=True)
class ScrapeTarget:
    """Something that Prometheus asks."""

    job: str
    """Name of the job, for example node."""
    addresses: Sequence[str]
    """host:port, by address: Prometheus must not need the cluster's names."""
    labels: Mapping[str, str] = field(default_factory=dict)
    scheme: str = "http"
    path: str = "/metrics"
    bearer_token: pulumi.Output[str] | None = None
    ca: pulumi.Output[str] | None = None
    """PEM: who signed the target's certificate."""
    public: bool = False
    """Reached under a public name, through the edge: the edge's certificate is the target's."""
    server_name: str | None = None
    """The name in the target's certificate where it is not the address."""


@dataclass(frozen=True)
class Watched:
    """What a room has Prometheus watch: its scrape targets and its alert rules."""

    scrape: Sequence[ScrapeTarget] = ()
    rules: Mapping[str, str] = field(default_factory=dict)
    """Files of alert rules, name to text. Rooms of one kind give the same file, and it is written once."""


def alert_rules(name: str, room: str) -> Mapping[str, str]:
    """Return the file `alerts.yml` beside a room's code, to be called `<name>.yml`; `room` is the module's __file__."""
    return {f"{name}.yml": (Path(room).parent / "alerts.yml").read_text()}
