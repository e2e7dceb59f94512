"""Prometheus and Alertmanager."""

from typing import Annotated

from pydantic import Field, StringConstraints

from stacks.settings.types import Model, SecretUrl


class MonitoringSettings(Model):
    """Prometheus and Alertmanager on the gateway, outside the cluster that they monitor."""

    retention_days: int = Field(default=30, ge=1)
    """How long measurements are kept."""
    retention_size: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*(MB|GB|TB)$")] = "20GB"
    """The most disk that measurements may take; the oldest are deleted first."""
    alert_webhook: SecretUrl | None = None
    """Where alerts are posted. A secret, because whoever knows the address of a chat service's hook can post there. If
    omitted, alerts are only shown by Alertmanager."""
