"""Checks of what only a lab may do, and of who receives alerts."""

from collections.abc import Iterator
from typing import Final

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import Site
from stacks.settings.monitoring import ALERT_WEBHOOK


def lab_only(site: Site) -> Iterator[Problem]:
    """Keep a login without accounts in a lab."""
    login = site.hub.login
    if login.only_in_a_lab and not site.lab:
        yield Problem(
            "hub.login",
            f"{login.type} {login.only_in_a_lab}",
            accepted=f"native; {login.type} only in a lab",
            write="native",
        )


def someone_is_told(site: Site) -> Iterator[Problem]:
    """See to it that alerts of a site with people reach a person."""
    receivers = site.monitoring.all_receivers.values()
    if not site.lab and not any("critical" in receiver.severities for receiver in receivers):
        yield Problem(
            "monitoring.receivers",
            "has no receiver of critical alerts: when a disk fails or the hub is down, no one is notified",
            accepted="at least one receiver of type mail, slack or webhook with critical among its severities",
            write={
                "operators": {
                    "type": "mail",
                    "to": [f"operators@{site.domain}"],
                    "sender": f"henhouse@{site.domain}",
                    "smarthost": f"mail.{site.domain}:587",
                }
            },
        )


def receivers_apart(site: Site) -> Iterator[Problem]:
    """Keep the name of the receiver that `alert_webhook` is short for free for it."""
    if site.monitoring.alert_webhook is not None and ALERT_WEBHOOK in site.monitoring.receivers:
        yield Problem(
            f"monitoring.receivers.{ALERT_WEBHOOK}",
            "has the name of the receiver that monitoring.alert_webhook is short for",
            accepted="another name, or no alert_webhook",
        )


CHECKS: Final[tuple[Check, ...]] = (
    lab_only,
    someone_is_told,
    receivers_apart,
)
