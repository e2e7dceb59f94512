"""Monitoring: it runs on a machine outside the cluster that it watches."""

from collections.abc import Sequence

import pulumi

from components.contracts.certificates import ServerCertificate
from components.contracts.machines import Machine
from components.contracts.routes import Route
from components.contracts.watched import Watched, alert_rules
from components.observability.monitoring.alerting import secrets_of, watchdog_rules
from components.observability.monitoring.config import by_job, together
from components.observability.monitoring.roles import ROLE, token_name, watch_role
from converge.host_state import apply
from stacks.settings import Site


class Monitoring(pulumi.ComponentResource):
    """Prometheus asks every target, Alertmanager tells of what is wrong, and the blackbox exporter asks for the hub's
    page as a browser does."""

    def __init__(
        self,
        name: str,
        site: Site,
        *,
        on: Machine,
        routes: Sequence[Route],
        certificate: ServerCertificate,
        watched: Sequence[Watched],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("henhouse:ops:Monitoring", name, None, opts)
        own = {**alert_rules("watch", __file__), **watchdog_rules(site.monitoring)}
        scrape, rules = together([*watched, Watched(rules=own)])
        first = {job: targets[0] for job, targets in by_job(scrape).items()}
        signers = {job: certificate.authority if target.public else target.ca for job, target in first.items()}
        authorities = {job: signer for job, signer in signers.items() if signer is not None}
        tokens = {token_name(job): each.bearer_token for job, each in first.items() if each.bearer_token is not None}
        apply(
            on,
            pulumi.Output.all(edge=certificate.authority, authorities=authorities).apply(
                lambda known: watch_role(
                    site, scrape, known["authorities"], rules=rules, routes=routes, edge_authority=known["edge"]
                )
            ),
            secrets={**secrets_of(site.monitoring), **tokens},
            role_name=ROLE,
            parent=self,
        )
        self.register_outputs({})
