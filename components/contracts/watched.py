"""What is watched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pulumi


@dataclass(frozen=True)
class ScrapeTarget:
    """Something that Prometheus asks."""

    job: str
    """Name of the job, for example node."""
    addresses: Sequence[str]
    """host:port, by address: the watch must not need the cluster's names."""
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


class Watched(Protocol):
    """A component that can be watched."""

    @property
    def scrape(self) -> Sequence[ScrapeTarget]:
        """What Prometheus asks about it."""
