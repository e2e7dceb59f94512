"""What pods ask of nodes, and which of them give way. Names are those of Zero to JupyterHub where it has them."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from stacks.settings.amounts import ByteSize, bytes_of
from stacks.settings.chart import ChartModel
from stacks.settings.types import spelled


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def cores_of(quantity: str) -> Decimal:
    """Return how many cores 100m, 2 or 0.5 are."""
    return Decimal(quantity[:-1]) / 1000 if quantity.endswith("m") else Decimal(quantity)


def _some_cores(quantity: str) -> str:
    if not cores_of(quantity):
        raise ValueError("must be more than 0")
    return quantity


CpuQuantity = Annotated[
    str,
    spelled(r"^([1-9][0-9]{0,5}m|[0-9]{1,3}(\.[0-9]{1,3})?)$", "cores or thousandths of one, such as 2, 0.5 or 100m"),
    BeforeValidator(_as_text, json_schema_input_type=str | float),
    AfterValidator(_some_cores),
]
"""Cores as Kubernetes writes them: 100m, 0.5 or 2."""


class AmountsSettings(ChartModel):
    """Amounts of what a node has."""

    cpu: CpuQuantity | None = None
    """Cores, such as 100m or 2."""
    memory: ByteSize | None = None
    """Memory."""


class ResourcesSettings(ChartModel):
    """A pod's requests and limits."""

    requests: AmountsSettings = AmountsSettings()
    """What is kept free for it. What is omitted is as if nothing were set here, or the limit where that is lower."""
    limits: AmountsSettings = AmountsSettings()
    """The most that it gets. It is slowed down at its limit of cores, and killed at its limit of memory."""

    def asked(self, *, cpu: str, memory: str) -> dict[str, dict[str, str]]:
        """Return what a container asks for, as Kubernetes writes it; `cpu` and `memory` where nothing is said here."""
        asked, most = self.requests, self.limits
        requests = {
            "cpu": asked.cpu or min(filter(None, (cpu, most.cpu)), key=cores_of),
            "memory": asked.memory or min(filter(None, (memory, most.memory)), key=bytes_of),
        }
        limits = most.model_dump(exclude_none=True)
        return {"requests": requests, **({"limits": limits} if limits else {})}

    @model_validator(mode="after")
    def _is_in_order(self) -> "ResourcesSettings":
        asked, most = self.requests, self.limits
        if asked.cpu and most.cpu and cores_of(asked.cpu) > cores_of(most.cpu):
            raise ValueError(f"requests.cpu, {asked.cpu}, is more than limits.cpu, {most.cpu}")
        if asked.memory and most.memory and bytes_of(asked.memory) > bytes_of(most.memory):
            raise ValueError(f"requests.memory, {asked.memory}, is more than limits.memory, {most.memory}")
        return self


class BudgetSettings(ChartModel):
    """A PodDisruptionBudget. It lets one pod be evicted at a time, and one that does not work always."""

    enabled: bool = False
    """Whether there is one."""


class PodPrioritySettings(ChartModel):
    """Which pods come first where a node has no room for all."""

    enabled: bool = False
    """Whether hub and proxy come before user servers: on machines that take both, one of these may be stopped so
    that everybody can reach the others. Changing it restarts hub and proxy once."""


class UserPlaceholderSettings(ChartModel):
    """Pods that do nothing and keep room free. They end at once when a person's server needs it."""

    replicas: int = Field(default=0, ge=0, le=1000)
    """How many."""
    resources: ResourcesSettings = ResourcesSettings()
    """What each keeps free. If omitted, what `hub.size` reserves for a person's server."""


class SchedulingSettings(ChartModel):
    """Which pods come first."""

    pod_priority: PodPrioritySettings = PodPrioritySettings()
    """Hub and proxy before user servers."""
    user_placeholder: UserPlaceholderSettings = UserPlaceholderSettings()
    """Room for user servers that nothing of a lower priority than theirs can take."""
