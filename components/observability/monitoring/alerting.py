"""Who receives alerts: Alertmanager's configuration, its routes, and the files with the secrets that it reads."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from components.observability.monitoring.config import ALERTMANAGER, CONFIG_DIRECTORY, CREDENTIALS_DIRECTORY, DEFAULTS
from components.templates import render
from converge.items import File, Item, Unit
from stacks.settings import (
    AnyReceiver,
    MailReceiverSettings,
    MonitoringSettings,
    Site,
    SlackReceiverSettings,
    WebhookReceiverSettings,
)
from stacks.settings.receivers import SEVERITIES

CONFIG: Final = f"{CONFIG_DIRECTORY}/alertmanager.yml"
SHOWN_ONLY: Final = "shown by Alertmanager alone"
WATCHDOG: Final = "dead-man's switch"
"""Names of receivers that the settings cannot have: they have blanks in them."""
WATCHDOG_RULES: Final = "watchdog.yml"
"""The file with the alert that always fires."""


def alertmanager_yml(monitoring: MonitoringSettings, hello: str) -> str:
    """Return Alertmanager's configuration (https://prometheus.io/docs/alerting/0.28/configuration/).

    No secret is in it: it names the files that hold them. `hello` is what the machine calls itself to mail servers.
    """
    receivers = monitoring.all_receivers
    told = [{"name": name, **_configured(name, receiver, hello)} for name, receiver in receivers.items()]
    routes = [_route(name, receiver) for name, receiver in receivers.items()]
    if monitoring.watchdog is not None:
        hook = {"url_file": _path(WATCHDOG, "url"), "send_resolved": False}
        told.append({"name": WATCHDOG, "webhook_configs": [hook]})
        # First, and the last for this alert. A little less than the interval, or every second post is skipped.
        minutely = {"group_wait": "0s", "group_interval": "1m", "repeat_interval": "50s"}
        routes.insert(0, {"receiver": WATCHDOG, "matchers": ['alertname="Watchdog"'], **minutely})
    tree = {
        "route": {
            "receiver": SHOWN_ONLY,
            "group_by": ["alertname"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": routes,
        },
        "receivers": [{"name": SHOWN_ONLY}, *told],
    }
    return yaml.safe_dump(tree, sort_keys=False, width=120)


def watchdog_rules(monitoring: MonitoringSettings) -> dict[str, str]:
    """Return the file with the alert that always fires, by its name, when the site has a receiver for it."""
    return {WATCHDOG_RULES: render(__file__, WATCHDOG_RULES)} if monitoring.watchdog is not None else {}


def secrets_of(monitoring: MonitoringSettings) -> dict[str, str]:
    """Return the secrets of all receivers, by the names that the role has for them."""
    found = {}
    for name, receiver in monitoring.all_receivers.items():
        if isinstance(receiver, MailReceiverSettings):
            if receiver.password is not None:
                found[_secret(name, "password")] = receiver.password.get_secret_value()
        else:
            found[_secret(name, "url")] = str(receiver.url.get_secret_value())
    if monitoring.watchdog is not None:
        found[_secret(WATCHDOG, "url")] = str(monitoring.watchdog.get_secret_value())
    return found


def alertmanager(site: Site) -> Iterator[Item]:
    """Yield Alertmanager with its configuration; only it reads the files with the secrets."""
    files = [File(path, secret=name, mode="0600", owner="prometheus") for name, path in _files(site.monitoring).items()]
    arguments = f"{DEFAULTS}/prometheus-alertmanager"
    hello = f"{site.gateway}.{site.domain}"
    yield from files
    yield File(CONFIG, alertmanager_yml(site.monitoring, hello), validate='amtool check-config "$NEW"')
    # Alone: a cluster's address would be looked for among private ones, and not found on every site.
    yield File(arguments, content=f'ARGS="--web.listen-address={ALERTMANAGER} --cluster.listen-address="\n')
    # It reads the files with the secrets at each message.
    yield Unit("prometheus-alertmanager.service", restart_on=(CONFIG, arguments))


def _files(monitoring: MonitoringSettings) -> Mapping[str, str]:
    """Return the path of each secret's file by the secret's name."""
    return {name: f"{CREDENTIALS_DIRECTORY}/{name}" for name in secrets_of(monitoring)}


def _secret(receiver: str, what: str) -> str:
    return "watchdog-url" if receiver == WATCHDOG else f"receiver-{receiver}-{what}"


def _path(receiver: str, what: str) -> str:
    return f"{CREDENTIALS_DIRECTORY}/{_secret(receiver, what)}"


def _route(name: str, receiver: AnyReceiver) -> dict[str, Any]:
    chosen = [severity for severity in SEVERITIES if severity in receiver.severities]
    matchers = {} if len(chosen) == len(SEVERITIES) else {"matchers": [f'severity=~"{"|".join(chosen)}"']}
    return {"receiver": name, **matchers, "continue": True}


def _configured(name: str, receiver: AnyReceiver, hello: str) -> dict[str, Any]:
    match receiver:
        case MailReceiverSettings():
            return {"email_configs": [_mail(name, receiver, hello)]}
        case SlackReceiverSettings():
            channel = {"channel": receiver.channel} if receiver.channel else {}
            return {"slack_configs": [{"api_url_file": _path(name, "url"), **channel, "send_resolved": True}]}
        case WebhookReceiverSettings():
            return {"webhook_configs": [{"url_file": _path(name, "url"), "send_resolved": True}]}


def _mail(name: str, receiver: MailReceiverSettings, hello: str) -> dict[str, Any]:
    # On port 465 TLS comes first, and there is nothing left to turn to.
    turns = receiver.tls == "required" and not receiver.smarthost.endswith(":465")
    config: dict[str, Any] = {
        "to": ", ".join(receiver.to),
        "from": receiver.sender,
        "smarthost": receiver.smarthost,
        "hello": receiver.hello or hello,
        "require_tls": turns,
        "send_resolved": True,
    }
    if receiver.user is not None:
        config |= {"auth_username": receiver.user, "auth_password_file": _path(name, "password")}
    return config
