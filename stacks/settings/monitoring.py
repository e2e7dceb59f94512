"""Prometheus and Alertmanager."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from stacks.settings.receivers import AnyReceiver, WebhookReceiverSettings
from stacks.settings.types import HostName, Model, SecretUrl


class MonitoringSettings(Model):
    """Prometheus and Alertmanager on the gateway, outside the cluster that they monitor."""

    retention_days: int = Field(default=30, ge=1)
    """How long measurements are kept."""
    retention_size: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*(MB|GB|TB)$")] = "20GB"
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
