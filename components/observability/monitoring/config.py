"""Prometheus' and the blackbox exporter's configurations, as text."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import yaml

from components.contracts.watched import ScrapeTarget, Watched

CONFIG_DIRECTORY: Final = "/etc/prometheus"
RULES_DIRECTORY: Final = f"{CONFIG_DIRECTORY}/rules.d"
CREDENTIALS_DIRECTORY: Final = f"{CONFIG_DIRECTORY}/credentials"
DEFAULTS: Final = "/etc/default"
SITE_CA: Final = f"{CREDENTIALS_DIRECTORY}/site-ca.crt"

PROMETHEUS: Final = "127.0.0.1:9090"
ALERTMANAGER: Final = "127.0.0.1:9093"
BLACKBOX: Final = "127.0.0.1:9115"
"""All three only on the machine itself: none of them knows users. `ssh -L 9090:127.0.0.1:9090` shows them."""

HUB_PAGE: Final = "hub-page"
"""The job that asks for the hub as a browser does."""


def together(watched: Iterable[Watched]) -> tuple[list[ScrapeTarget], dict[str, str]]:
    """Return all targets, and all files of rules by name.

    ValueError when two rooms give one name to different rules.
    """
    targets: list[ScrapeTarget] = []
    rules: dict[str, str] = {}
    for each in watched:
        targets.extend(each.scrape)
        for name, text in each.rules.items():
            if rules.setdefault(name, text) != text:
                raise ValueError(f"two rooms have alert rules called {name}, and they differ: rename one")
    return targets, dict(sorted(rules.items()))


def token_path(job: str) -> str:
    """Where the bearer token of a job is kept."""
    return f"{CREDENTIALS_DIRECTORY}/{job}.token"


def ca_path(job: str) -> str:
    """Where the certificate of the authority behind a job's targets is kept."""
    return f"{CREDENTIALS_DIRECTORY}/{job}-ca.crt"


def prometheus_yml(
    domain: str,
    targets: Sequence[ScrapeTarget],
    pages: Sequence[str],
    authorities: Collection[str],
    rules: Collection[str],
) -> str:
    """Prometheus' configuration (https://prometheus.io/docs/prometheus/2.53/configuration/configuration/).

    `pages` are addresses that have to answer as a browser sees them, `authorities` the jobs whose targets have a
    certificate of an authority in `ca_path`, `rules` the names of the files of alert rules. Raises ValueError when
    targets of one job differ in how they are scraped.
    """
    return _yaml(
        {
            "global": {
                "scrape_interval": "30s",
                "evaluation_interval": "30s",
                "external_labels": {"site": domain},
            },
            "rule_files": [f"{RULES_DIRECTORY}/{name}" for name in rules],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [ALERTMANAGER]}]}]},
            "scrape_configs": [
                _static("prometheus", [PROMETHEUS]),
                _static("alertmanager", [ALERTMANAGER]),
                _pages(pages),
                *(_job(job, of_job, job in authorities) for job, of_job in sorted(by_job(targets).items())),
            ],
        }
    )


def blackbox_yml(*, own_authority: bool) -> str:
    """Return the blackbox exporter's configuration: a page has to answer 200 over TLS.

    The page's certificate is trusted through the site's authority if the site has one.
    """
    http: dict[str, Any] = {"fail_if_not_ssl": True, "preferred_ip_protocol": "ip4", "valid_status_codes": [200]}
    if own_authority:
        http["tls_config"] = {"ca_file": SITE_CA}
    return _yaml({"modules": {HUB_PAGE: {"prober": "http", "timeout": "10s", "http": http}}})


def by_job(targets: Sequence[ScrapeTarget]) -> dict[str, list[ScrapeTarget]]:
    """Group targets by job. All targets of a job share scheme, path and credentials."""
    jobs: dict[str, list[ScrapeTarget]] = {}
    for target in targets:
        first = jobs.setdefault(target.job, [target])[0]
        if _way(first) != _way(target):
            raise ValueError(
                f"scrape job {target.job}: {', '.join(target.addresses)} and {', '.join(first.addresses)} differ in "
                "scheme, path, token, authority or server name; give one of them another job"
            )
        if target is not first:
            jobs[target.job].append(target)
    return jobs


def _way(target: ScrapeTarget) -> tuple[object, ...]:
    return (target.scheme, target.path, id(target.bearer_token), id(target.ca), target.public, target.server_name)


def _job(job: str, targets: Sequence[ScrapeTarget], has_authority: bool) -> dict[str, Any]:
    first = targets[0]
    config: dict[str, Any] = {"job_name": job, "scheme": first.scheme, "metrics_path": first.path}
    if first.bearer_token is not None:
        config["authorization"] = {"type": "Bearer", "credentials_file": token_path(job)}
    tls = {"server_name": first.server_name} if first.server_name else {}
    if has_authority:
        tls["ca_file"] = ca_path(job)
    if tls:
        config["tls_config"] = tls
    config["static_configs"] = [
        {"targets": list(target.addresses), **({"labels": dict(target.labels)} if target.labels else {})}
        for target in targets
    ]
    return config


def _static(job: str, addresses: Sequence[str]) -> dict[str, Any]:
    return {"job_name": job, "static_configs": [{"targets": list(addresses)}]}


def _pages(pages: Sequence[str]) -> dict[str, Any]:
    """Return the job that asks the exporter and tells it which page to ask for.

    Source: https://github.com/prometheus/blackbox_exporter
    """
    return {
        "job_name": HUB_PAGE,
        "metrics_path": "/probe",
        "params": {"module": [HUB_PAGE]},
        "static_configs": [{"targets": list(pages)}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": BLACKBOX},
        ],
    }


def _yaml(tree: dict[str, Any]) -> str:
    return yaml.safe_dump(tree, sort_keys=False, width=120)
