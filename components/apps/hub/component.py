"""Hub: JupyterHub on the cluster."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import ConfigMap, PersistentVolume, PersistentVolumeClaim, Secret
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.apps.hub.account import service_account
from components.apps.hub.added import SERVER_SECRET, hub_secrets, server_secrets
from components.apps.hub.addresses import HUB_LABELS, PROXY_LABELS, hub_url
from components.apps.hub.database import claim_spec, database_directory, database_host, volume_spec
from components.apps.hub.deployment import deployment, named
from components.apps.hub.hub import HubNames, hub_pod
from components.apps.hub.images import let_nodes_be_seen
from components.apps.hub.keys import hub_keys
from components.apps.hub.mounted import Mounted
from components.apps.hub.old_images import remove_old_images
from components.apps.hub.pages import ANNOUNCEMENTS, announcements_data, page_bytes, page_texts
from components.apps.hub.policies import hub_policies
from components.apps.hub.proxy import proxy_pod
from components.apps.hub.pulling import own_accounts, pull_secret
from components.apps.hub.rehearsals import rehearsals
from components.apps.hub.scheduling import budgets, core_priority, placeholders
from components.apps.hub.services import services
from components.apps.hub.site_json import config_files, share_values, site_json
from components.contracts.cluster import KubernetesAccess, Namespaces
from components.contracts.machines import Machine
from components.contracts.routes import Route
from components.contracts.storage import HomesVolume, SharedVolume
from components.contracts.watched import ScrapeTarget, Watched, alert_rules
from converge.host_state import apply
from stacks.secrets import SiteSecrets
from stacks.settings import Site
from stacks.settings.hub import CALLBACK_PATH


class Hub(pulumi.ComponentResource):
    """JupyterHub and its proxy as two Deployments, so that a restart of one does not interrupt the other.

    KubeSpawner makes user servers in a namespace of their own. The session database is SQLite on a volume of one core
    machine, never on NFS, or a PostgreSQL of the site's.
    """

    route: Route
    """The hub's name, and the address of the Service behind it."""
    watched: Watched
    """JupyterHub's metrics, asked for by its public name: what Prometheus sees is what people see."""

    def __init__(
        self,
        name: str,
        site: Site,
        secrets: SiteSecrets,
        *,
        homes: HomesVolume,
        shares: Sequence[SharedVolume] = (),
        cluster: KubernetesAccess,
        namespaces: Namespaces,
        machines: Mapping[str, Machine],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("henhouse:app:Hub", name, None, opts)
        self._name = name
        self._site = site
        self._cluster = cluster
        self._namespaces = namespaces
        self._mounted = Mounted(name, self._options)

        asking = (CALLBACK_PATH,) if site.hub.login.provider_networks else ()
        address = services(name, namespaces, self._options())
        self.route = Route(site.hub.host, namespaces.hub, address, 80, "/hub/health", asking)
        names = HubNames(
            service_account=self._service_account(),
            config=self._config(homes, shares),
            pages=self._pages(),
            keys=self._mounted.secret(
                "keys",
                namespaces.hub,
                hub_keys(site.hub, secrets, homes.provisioner),
                files=hub_secrets(site.hub),
            ),
            database=self._database(machines[database_host(site)]),
            priority=core_priority(name, site.hub, self._options()),
        )
        pulling = pull_secret(f"{name}-own-pull-secret", namespaces.hub, own_accounts(site.hub), self._options())
        token = self._mounted.secret("proxy-token", namespaces.hub, {"token": secrets.proxy_token})
        # The running hub keeps its policies, its proxy and its servers' Secret until all of the next is tried.
        tried = rehearsals(
            name,
            site,
            names,
            token=token,
            provisioner=homes.provisioner,
            namespaces=namespaces,
            options=lambda after: self._options_after([*pulling, *after]),
        )
        policies = self._policies(homes, after=tried)
        self._proxy(token, priority=names.priority, after=[*pulling, *policies])
        hub = self._hub(names, after=[*homes.ready, *pulling, *policies, *self._for_servers(after=tried)])
        # A hub with the settings of before would have nodes pull again what they have removed.
        remove_old_images(site, machines, parent=self, after=[hub])
        budgets(name, site.hub, namespaces, self._options())
        placeholders(name, site.hub, namespaces, self._options())
        metrics = ScrapeTarget(
            "jupyterhub",
            (f"{site.hub.host}:443",),
            scheme="https",
            path="/hub/metrics",
            bearer_token=secrets.metrics_token,
            public=True,
            server_name=site.hub.host,
        )
        self.watched = Watched([metrics], alert_rules("hub", __file__))
        self.register_outputs({"host": site.hub.host})

    def _options(self, *, protect: bool | None = None) -> pulumi.ResourceOptions:
        return self._cluster.options(self, protect=protect)

    def _options_after(
        self, after: Sequence[pulumi.Resource], *, protect: bool | None = None
    ) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(
            self._options(protect=protect), pulumi.ResourceOptions(depends_on=list(after))
        )

    def _meta(self, name: str | None = None) -> ObjectMetaArgs:
        return ObjectMetaArgs(name=name, namespace=self._namespaces.hub)

    def _service_account(self) -> pulumi.Output[str]:
        account = service_account(self._name, self._namespaces, self._options())
        if self._site.hub.prepulls:
            let_nodes_be_seen(self._name, account, self._namespaces.hub, self._options())
        return account

    def _policies(self, homes: HomesVolume, *, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """Make the network policies and return them: no pod of the hub's starts before it may speak."""
        return [
            NetworkPolicy(
                f"{self._name}-{policy}-policy",
                metadata=ObjectMetaArgs(namespace=namespace),
                spec=spec,
                opts=self._options_after(after),
            )
            for policy, (namespace, spec) in hub_policies(self._site, self._namespaces, homes.provisioner).items()
        ]

    def _config(self, homes: HomesVolume, shares: Sequence[SharedVolume]) -> pulumi.Output[str]:
        names = pulumi.Output.all(
            hub=self._namespaces.hub,
            users=homes.namespace,
            claim=homes.claim,
            shares=[share_values(share) for share in shares],
        )
        values = names.apply(lambda known: site_json(self._site, homes.provisioner.url, **known))
        return self._mounted.config_map(
            "config", self._namespaces.hub, {**config_files(self._site.hub), "site.json": values}
        )

    def _pages(self) -> pulumi.Output[str]:
        """Make the ConfigMap of the hub's pages and return its name."""
        self._announcements()
        texts, files = page_texts(self._site.hub), page_bytes(self._site.hub)
        return self._mounted.config_map("pages", self._namespaces.hub, texts, files=files)

    def _announcements(self) -> None:
        """Make the ConfigMap of announcements, if there are any. Its name is fixed, so the hub's pod keeps running."""
        if told := announcements_data(self._site.hub):
            ConfigMap(
                f"{self._name}-announcements", metadata=self._meta(ANNOUNCEMENTS), data=told, opts=self._options()
            )

    def _for_servers(self, *, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """Make the Secrets of user servers, if there are any: the accounts of their images, the site's files.

        They have one name for good: a container of a running server that is started again reads them again.
        """
        accounts, options = self._site.hub.pull_accounts, self._options_after(after)
        pulling = pull_secret(f"{self._name}-pull-secret", self._namespaces.users, accounts, options)
        kept = server_secrets(self._site.hub)
        if not kept:
            return pulling
        return [
            *pulling,
            Secret(
                f"{self._name}-server-files",
                metadata=ObjectMetaArgs(name=SERVER_SECRET, namespace=self._namespaces.users),
                data={key: pulumi.Output.secret(value) for key, value in kept.items()},
                opts=options,
            ),
        ]

    def _database(self, machine: Machine) -> pulumi.Output[str]:
        """Make a volume of a directory of one machine, and return the name of the claim to it.

        The hub runs on that machine.
        """
        claim_name = f"{self._name}-database"
        directory = apply(machine, database_directory(), parent=self)
        volume = PersistentVolume(
            f"{self._name}-database-volume",
            metadata=ObjectMetaArgs(name=claim_name),
            spec=volume_spec(machine.name, namespace=self._namespaces.hub, claim=claim_name),
            opts=self._options_after([directory], protect=True),
        )
        claim = PersistentVolumeClaim(
            f"{self._name}-database-claim",
            metadata=self._meta(claim_name),
            spec=claim_spec(volume.metadata.name),
            opts=self._options(protect=True),
        )
        name: pulumi.Output[str] = claim.metadata.name
        return name

    def _proxy(
        self, token: pulumi.Output[str], *, priority: pulumi.Input[str] | None, after: Sequence[pulumi.Resource]
    ) -> None:
        address = self._namespaces.hub.apply(hub_url)
        Deployment(
            f"{self._name}-proxy",
            metadata=named("proxy", self._namespaces.hub),
            spec=deployment(PROXY_LABELS, proxy_pod(self._site.hub, hub_url=address, token=token, priority=priority)),
            opts=self._options_after(after),
        )

    def _hub(self, names: HubNames, *, after: Sequence[pulumi.Resource]) -> Deployment:
        """`after` is what has to answer before the hub starts anyone's server, and the policies of all pods."""
        return Deployment(
            f"{self._name}-server",
            metadata=named("hub", self._namespaces.hub),
            spec=deployment(HUB_LABELS, hub_pod(self._site.hub, names)),
            opts=self._options_after(after),
        )
