"""Prometheus and Alertmanager."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from stacks.settings.receivers import AnyReceiver, WebhookReceiverSettings
from stacks.settings.types import HostName, Model, spelled
from stacks.settings.urls import SecretUrl

_UNITS: Final = {"MB": 20, "GB": 30, "TB": 40}
SMALLEST: Final = "512MB"
"""Three segments of 128 MB are kept whatever is asked (https://prometheus.io/docs/prometheus/latest/storage/)."""


def _check_disk_size(size: str) -> str:
    if _bytes_of(size) < _bytes_of(SMALLEST):
        raise ValueError(f"must be {SMALLEST} or more: Prometheus keeps so much of the last hours alone")
    return size


def _bytes_of(size: str) -> int:
    """Return how many bytes Prometheus means: its units are powers of 1024."""
    return int(size[:-2]) << _UNITS[size[-2:]]


DiskSize = Annotated[
    str, spelled(r"^[1-9][0-9]{0,5}(MB|GB|TB)$", "whole MB, GB or TB, such as 20GB"), AfterValidator(_check_disk_size)
]
"""A size as Prometheus writes it, for example 20GB."""


class MonitoringSettings(Model):
    """Prometheus and Alertmanager on the gateway, outside the cluster that they monitor."""

    retention_days: int = Field(default=30, ge=1, le=36500)
    """How long measurements are kept."""
    retention_size: DiskSize = "20GB"
    """The most disk that measurements may take; the oldest are deleted first."""
    receivers: dict[HostName, AnyReceiver] = Field(default={})
    """Receivers of alerts, by a name of your choice. A site with people has at least one; in a lab, Alertmanager may
    show them alone."""
    watchdog: SecretUrl | None = None
    """A dead-man's switch: an address that is posted to every minute as long as Prometheus and Alertmanager work.
    Whoever listens there notifies people when the posts end. A secret."""
    alert_webhook: SecretUrl | None = None
    """Short for a receiver `alert-webhook` of type webhook, which gets every alert. A secret, as any webhook."""

    @property
    def all_receivers(self) -> Mapping[str, AnyReceiver]:
        """The receivers by name, in order, with the one that `alert_webhook` is short for."""
        short = {ALERT_WEBHOOK: WebhookReceiverSettings(url=self.alert_webhook)} if self.alert_webhook else {}
        return dict(sorted({**self.receivers, **short}.items()))


ALERT_WEBHOOK = "alert-webhook"
"""Name of the receiver that `monitoring.alert_webhook` is short for."""
