"""The monitoring's configurations, judged by the programs that read them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pulumi
import pytest
import yaml

from components.contracts.routes import Route
from components.contracts.watched import ScrapeTarget, Watched
from components.observability.monitoring.config import (
    CONFIG_DIRECTORY,
    blackbox_yml,
    prometheus_yml,
    together,
)
from components.observability.monitoring.roles import watch_role
from converge.items import File, Line
from converge.render import render
from converge.role import Role
from stacks.load import parse_settings
from stacks.settings import Site
from tests.certificates import Authority
from tests.stacks.sites import changed, tree
from tests.tools import accepts

pytestmark = pytest.mark.programs

CA: Final = Authority().pem
DOMAIN: Final = "henhouse.localhost"
RULES: Final = dict.fromkeys(("machines.yml", "storage.yml"), "groups: []\n")
PAGES: Final = ("https://hub.henhouse.localhost/hub/health", "https://binder.henhouse.localhost/health")


def route(host: str, health_path: str) -> Route:
    name = pulumi.Output.from_input("anything")
    return Route(host, name, pulumi.Output.from_input("198.18.32.7"), 80, health_path)


def role_of(
    settings: Site,
    scrape: Sequence[ScrapeTarget] = (),
    authorities: Mapping[str, str] | None = None,
    ca: str | None = CA,
) -> Role:
    """Return the monitoring's role on a site with two public names."""
    routes = [route("hub.henhouse.localhost", "/hub/health"), route("binder.henhouse.localhost", "/health")]
    return watch_role(settings, scrape, authorities or {}, rules=RULES, routes=routes, edge_authority=ca)


def site(**monitoring: object) -> Site:
    return parse_settings(changed(tree("dev"), {"monitoring": monitoring}))


def targets() -> list[ScrapeTarget]:
    """One of each kind: by address, several of one job, and one with everything."""
    return [
        ScrapeTarget("node", ["198.18.0.2:9100"], {"machine": "rooster"}),
        ScrapeTarget("node", ["198.18.0.200:9100"], {"machine": "hen"}),
        ScrapeTarget(
            "jupyterhub",
            ["hub.henhouse.localhost:443"],
            scheme="https",
            path="/hub/metrics",
            bearer_token=pulumi.Output.secret("token"),
            ca=pulumi.Output.from_input(CA),
            server_name="hub.henhouse.localhost",
        ),
    ]


def jobs(text: str) -> dict[str, Any]:
    return {job["job_name"]: job for job in yaml.safe_load(text)["scrape_configs"]}


def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    role = role_of(site(), targets(), {"jupyterhub": CA})
    for item in role.items:
        if isinstance(item, File) and item.path.startswith(CONFIG_DIRECTORY):
            path = tmp_path / item.path.removeprefix(CONFIG_DIRECTORY + "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text((item.content or "token").replace(CONFIG_DIRECTORY, str(tmp_path)))
    said = accepts("promtool", "check", "config", str(tmp_path / "prometheus.yml"))
    assert f"{len(RULES)} rule files found" in said
    accepts("amtool", "check-config", str(tmp_path / "alertmanager.yml"))
    accepts("prometheus-blackbox-exporter", "--config.check", f"--config.file={tmp_path / 'blackbox.yml'}")


def test_targets_of_one_job_are_one_job() -> None:
    node = jobs(prometheus_yml(DOMAIN, targets(), PAGES, {"jupyterhub"}, RULES))["node"]
    assert node["static_configs"] == [
        {"targets": ["198.18.0.2:9100"], "labels": {"machine": "rooster"}},
        {"targets": ["198.18.0.200:9100"], "labels": {"machine": "hen"}},
    ]


def test_credentials_are_files_and_not_in_the_configuration() -> None:
    hub = jobs(prometheus_yml(DOMAIN, targets(), PAGES, {"jupyterhub"}, RULES))["jupyterhub"]
    assert hub["authorization"]["credentials_file"] == "/etc/prometheus/credentials/jupyterhub.token"
    assert hub["tls_config"] == {
        "server_name": "hub.henhouse.localhost",
        "ca_file": "/etc/prometheus/credentials/jupyterhub-ca.crt",
    }
    (token,) = [
        item for item in role_of(site(), targets(), {"jupyterhub": CA}).items if isinstance(item, File) and item.secret
    ]
    assert (token.secret, token.mode, token.group) == ("jupyterhub-token", "0640", "prometheus")


def test_one_job_asked_in_two_ways_is_refused() -> None:
    other = ScrapeTarget("node", ["198.18.0.9:9100"], scheme="https")
    with pytest.raises(ValueError, match=r"scrape job node: 198\.18\.0\.9:9100 and 198\.18\.0\.2:9100 differ"):
        prometheus_yml(DOMAIN, [*targets(), other], PAGES, (), RULES)


def test_rules_that_several_rooms_give_are_one_file() -> None:
    machine = Watched([ScrapeTarget("node", ["198.18.0.2:9100"])], {"machines.yml": "groups: []\n"})
    scrape, rules = together([machine, machine, Watched(rules={"hub.yml": "groups: []\n"})])
    assert len(scrape) == 2
    assert list(rules) == ["hub.yml", "machines.yml"]


def test_rules_of_one_name_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match=r"two rooms have alert rules called hub\.yml, and they differ: rename one"):
        together([Watched(rules={"hub.yml": "groups: []\n"}), Watched(rules={"hub.yml": "groups: [{}]\n"})])


def test_nothing_listens_beyond_the_machine() -> None:
    arguments = [
        item.content
        for item in role_of(site(), targets()).items
        if isinstance(item, File) and item.path.startswith("/etc/default/")
    ]
    assert len(arguments) == 3
    assert all("--web.listen-address=127.0.0.1:" in (text or "") for text in arguments)


def test_retention_is_the_settings() -> None:
    text = repr(role_of(site(retention_days=7, retention_size="5GB")).items)
    assert "--storage.tsdb.retention.time=7d --storage.tsdb.retention.size=5GB" in text


def test_supplied_certificate_needs_no_authority_of_the_site() -> None:
    """A unit that restarts on a file which is not in the role cannot be rendered."""
    render(role_of(site(), ca=None), "rooster")


def test_every_public_name_is_asked_for_as_a_browser_does() -> None:
    """The monitoring's own machine asks, and has to know the name when the site's DNS is down."""
    probe = jobs(prometheus_yml(DOMAIN, [], PAGES, (), RULES))["hub-page"]
    assert probe["static_configs"] == [{"targets": list(PAGES)}]
    lines = [item.line for item in role_of(site()).items if isinstance(item, Line)]
    assert lines == ["198.18.0.2 hub.henhouse.localhost", "198.18.0.2 binder.henhouse.localhost"]


def test_supplied_certificate_is_trusted_through_the_machines_authorities() -> None:
    assert "tls_config" not in blackbox_yml(own_authority=False)
    assert "site-ca.crt" in blackbox_yml(own_authority=True)
