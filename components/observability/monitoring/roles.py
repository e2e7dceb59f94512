"""What the monitoring needs of the machine that it runs on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address

from components.contracts.machines import KEPT_HOSTS
from components.contracts.routes import Route
from components.contracts.watched import ScrapeTarget
from components.observability.monitoring.alerting import WATCHDOG_RULES, alertmanager
from components.observability.monitoring.config import (
    BLACKBOX,
    CONFIG_DIRECTORY,
    CREDENTIALS_DIRECTORY,
    DEFAULTS,
    PROMETHEUS,
    RULES_DIRECTORY,
    SITE_CA,
    blackbox_yml,
    by_job,
    ca_path,
    prometheus_yml,
    token_path,
)
from components.templates import shell
from converge.items import Absent, Directory, File, Item, Line, Package, Script, Unit
from converge.leftovers import none_left
from converge.role import Role
from stacks.settings import Site

ROLE = "watch"


def watch_role(
    site: Site,
    targets: Sequence[ScrapeTarget],
    authorities: Mapping[str, str],
    *,
    rules: Mapping[str, str],
    routes: Sequence[Route],
    edge_authority: str | None,
) -> Role:
    """Return the role with Debian's Prometheus, Alertmanager and blackbox exporter.

    Each configuration is checked before it is used.

    `authorities` holds the certificate, PEM, of each job that has one; the role's secrets are the jobs' tokens, by the
    name of `token_name`. `rules` are the alert rules, by file name. `edge_authority` signed the certificate of the
    routes, PEM; None when every machine trusts the signer already.
    """
    items = (
        Package("prometheus"),
        Package("prometheus-alertmanager"),
        Package("prometheus-blackbox-exporter"),
        # The monitoring goes the way people go, through this machine's edge, also while the site's DNS is down.
        *_names({route.host: site.hosts[site.gateway].address for route in routes}),
        Directory(CREDENTIALS_DIRECTORY, mode="0750", group="prometheus"),
        *_blackbox(edge_authority),
        *alertmanager(site),
        *_prometheus(site, targets, authorities, rules, [route.health_url for route in routes]),
    )
    # Last: each program has been told by now to read no other.
    return Role(ROLE, (*items, _no_others(item.path for item in items if isinstance(item, File))))


def _no_others(paths: Iterable[str]) -> Script:
    """Return the item by which nothing is left of a receiver, a token or an authority that the site has no more.

    `paths` are of all the files that it has.
    """
    within = f"{CREDENTIALS_DIRECTORY}/"
    wanted = " ".join(path.removeprefix(within) for path in paths if path.startswith(within))
    found = shell(__file__, "credentials", directory=CREDENTIALS_DIRECTORY, wanted=wanted)
    return none_left("no credentials of before", found, "credentials_of_before")


def _names(addresses: Mapping[str, IPv4Address]) -> Iterator[Item]:
    """Yield the items by which /etc/hosts gives names their addresses, whatever rewrites it."""
    # Before the lines: the machine must not bring older ones back.
    yield File(f"{KEPT_HOSTS}-{ROLE}", "".join(f"{address} {host}\n" for host, address in addresses.items()))
    for host, address in addresses.items():
        pattern = rf"[[:space:]]{host.replace('.', '[.]')}([[:space:]]|$)"
        yield Line("/etc/hosts", matching=pattern, line=f"{address} {host}")


def token_name(job: str) -> str:
    """Return the name that the role has for a job's token."""
    return f"{job}-token"


def _blackbox(edge_authority: str | None) -> list[Item]:
    config, arguments = f"{CONFIG_DIRECTORY}/blackbox.yml", f"{DEFAULTS}/prometheus-blackbox-exporter"
    check = 'prometheus-blackbox-exporter --config.check --config.file="$NEW"'
    authority = [File(SITE_CA, content=edge_authority)] if edge_authority is not None else []
    files = (*(file.path for file in authority), config, arguments)
    return [
        *authority,
        File(config, content=blackbox_yml(own_authority=edge_authority is not None), validate=check),
        File(arguments, content=f'ARGS="--config.file={config} --web.listen-address={BLACKBOX}"\n'),
        Unit("prometheus-blackbox-exporter.service", restart_on=files),
    ]


def _prometheus(
    site: Site,
    targets: Sequence[ScrapeTarget],
    authorities: Mapping[str, str],
    rules: Mapping[str, str],
    pages: Sequence[str],
) -> list[Item]:
    config, arguments = f"{CONFIG_DIRECTORY}/prometheus.yml", f"{DEFAULTS}/prometheus"
    files = {f"{RULES_DIRECTORY}/{name}": text for name, text in rules.items()}
    tokens = [job for job, of_job in by_job(targets).items() if of_job[0].bearer_token is not None]
    options = (
        f"--web.listen-address={PROMETHEUS}",
        f"--storage.tsdb.retention.time={site.monitoring.retention_days}d",
        f"--storage.tsdb.retention.size={site.monitoring.retention_size}",
    )
    return [
        *(File(path, content=text, validate='promtool check rules "$NEW"') for path, text in files.items()),
        *(File(ca_path(job), content=pem) for job, pem in sorted(authorities.items())),
        *(File(token_path(job), secret=token_name(job), mode="0640", group="prometheus") for job in tokens),
        # After the files it names: the check looks for them.
        File(
            config,
            content=prometheus_yml(site.domain, targets, pages, authorities, rules),
            validate='promtool check config "$NEW"',
        ),
        File(arguments, content=f'ARGS="{" ".join(options)}"\n'),
        # After the configuration that does not name it any more.
        *(Absent(path) for path in [f"{RULES_DIRECTORY}/{WATCHDOG_RULES}"] if path not in files),
        Unit("prometheus.service", restart_on=(*files, config, arguments)),
    ]
