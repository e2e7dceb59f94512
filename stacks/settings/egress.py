"""Where pods may connect to beyond what henhouse lets them: a part of Kubernetes' NetworkPolicy, in its own words."""

from ipaddress import IPv4Network
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from stacks.settings.chart import ChartModel


def _check_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("must be an IPv4 network, such as 10.1.2.3/32")  # 10 would be 0.0.0.10
    return value


Block = Annotated[IPv4Network, BeforeValidator(_check_text, json_schema_input_type=str)]


class AddressBlockSettings(ChartModel):
    """A range of addresses."""

    cidr: Block
    """The range, such as `10.1.2.3/32` for one address. The site's own networks and machines in it stay closed, and so
    do private networks in a larger range: name those themselves."""
    excluded: tuple[Block, ...] = Field(default=(), alias="except")
    """Parts of it that stay out of reach."""

    @model_validator(mode="after")
    def _has_its_parts(self) -> Self:
        for part in self.excluded:
            if not part.subnet_of(self.cidr) or part == self.cidr:
                raise ValueError(f"except has {part}, which is not a part of {self.cidr}")
        return self


class PeerSettings(ChartModel):
    """The other side of a connection. Kubernetes' selectors of pods and namespaces are not there."""

    ip_block: AddressBlockSettings
    """Their addresses."""


class PortSettings(ChartModel):
    """A port, or several that follow one another."""

    port: int = Field(ge=1, le=65535)
    """Its number; the first, where there is `endPort`."""
    end_port: int | None = Field(default=None, ge=1, le=65535)
    """The last."""
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"
    """Its protocol."""

    @model_validator(mode="after")
    def _ends_after_its_beginning(self) -> Self:
        if self.end_port is not None and self.end_port < self.port:
            raise ValueError(f"endPort, {self.end_port}, is less than port, {self.port}")
        return self


class EgressSettings(ChartModel):
    """A rule: these addresses at these ports."""

    to: tuple[PeerSettings, ...] = Field(min_length=1)
    """The addresses."""
    ports: tuple[PortSettings, ...] = Field(default=(), min_length=1)
    """The ports; if omitted, all."""


class EgressPolicySettings(ChartModel):
    """What pods may connect to besides. The rest of the policy is henhouse's, and cannot be switched off."""

    egress: tuple[EgressSettings, ...] = ()
    """Rules, in the words of a NetworkPolicy's `egress`."""
