"""What is tried before the hub and the proxy that people use are changed: the resources."""

from collections.abc import Callable, Sequence
from typing import Final

import pulumi
from pulumi_kubernetes.batch.v1 import Job
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.apps.hub.addresses import hub_url
from components.apps.hub.hub import HubNames
from components.apps.hub.policies import rehearsal_policy
from components.apps.hub.proxy_rehearsal import proxy_rehearsal_job, proxy_rehearsal_policy
from components.apps.hub.rehearsal import rehearsal_job
from components.contracts.cluster import Namespaces
from components.contracts.storage import HomeProvisioner
from stacks.settings import Site

REPLACE_UNREADY: Final = {"pulumi.com/replaceUnready": "true"}
"""The next `up` begins a failed rehearsal again: what it failed at may have been the cluster's."""


def rehearsals(
    name: str,
    site: Site,
    names: HubNames,
    *,
    token: pulumi.Input[str],
    provisioner: HomeProvisioner,
    namespaces: Namespaces,
    options: Callable[[Sequence[pulumi.Resource]], pulumi.ResourceOptions],
) -> list[pulumi.Resource]:
    """Make the Jobs and return all that has to be there before anything that people use is changed.

    They are two, so that an edit of the hub's settings does not run the proxy's as well. `name` begins the names in the
    state, `token` names the Secret with the proxy's token, and `options` returns those of an object that is made after
    others.
    """
    address = namespaces.hub.apply(hub_url)
    tried = {
        "rehearsal": (rehearsal_policy(site, namespaces, provisioner), rehearsal_job(site.hub, names)),
        "proxy-rehearsal": (
            proxy_rehearsal_policy(),
            proxy_rehearsal_job(site.hub, hub_url=address, token=token),
        ),
    }
    made: list[pulumi.Resource] = []
    for noun, (allowed, job) in tried.items():
        about = ObjectMetaArgs(namespace=namespaces.hub)
        policy = NetworkPolicy(f"{name}-{noun}-policy", metadata=about, spec=allowed, opts=options([]))
        again = ObjectMetaArgs(namespace=namespaces.hub, annotations=REPLACE_UNREADY)
        made += [policy, Job(f"{name}-{noun}", metadata=again, spec=job, opts=options([policy]))]
    return made
