"""Trying a configuration and an image before the hub restarts with them.

The hub is one pod, which ends before the next one starts. So what ends the new one would leave people without a hub.
"""

from collections.abc import Mapping

from pulumi_kubernetes.batch.v1 import (
    JobSpecArgs,
    PodFailurePolicyArgs,
    PodFailurePolicyOnPodConditionsPatternArgs,
    PodFailurePolicyRuleArgs,
)
from pulumi_kubernetes.core.v1 import ContainerArgs, PodSpecArgs, PodTemplateSpecArgs, VolumeMountArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.apps.hub.added import hub_environment
from components.apps.hub.addresses import HUB_PORT, REHEARSAL_LABELS
from components.apps.hub.hub import HubNames, configuration_mounts, configured_pod, wait_for_cluster
from components.apps.hub.pages_repository import fetchers
from components.apps.hub.site_json import (
    CONFIG_DIRECTORY,
    DATABASE_DIRECTORY,
    REHEARSAL,
    SECRETS_DIRECTORY,
    TRY_DATABASE,
)
from components.kube.pods import container_security
from stacks.settings import HubSettings


def rehearsal_job(settings: HubSettings, names: HubNames) -> JobSpecArgs:
    """Return the Job that reads the configuration as the hub will.

    Its pod is the hub's, with the same volumes on the same node, but for the database, in whose place its container has
    an empty directory. Another one has looked at the database before, and changed nothing. Pages from a repository are
    fetched for both. It keeps no room free and has no priority: with either, it could stop a person's server on a full
    node. It takes part in no Service, and its policy lets no pod connect to it.
    """
    container = ContainerArgs(
        name="rehearsal",
        image=settings.image,
        args=["python3", f"{CONFIG_DIRECTORY}/{REHEARSAL}", str(HUB_PORT)],
        working_dir=DATABASE_DIRECTORY,
        security_context=container_security(),
        volume_mounts=configuration_mounts(settings, "tmp"),
        env=hub_environment(settings, names.keys) or None,
    )
    before = [
        wait_for_cluster(settings, None),
        _try_database(settings),
        *fetchers(settings, names.keys, None, rehearse=True),
    ]
    return one_attempt(
        REHEARSAL_LABELS, configured_pod(settings, names, container, before=before, restart_policy="Never")
    )


def one_attempt(labels: Mapping[str, str], pod: PodSpecArgs) -> JobSpecArgs:
    """Return a Job that fails as soon as its pod does, and keeps the pod, which says why."""
    return JobSpecArgs(
        backoff_limit=0,
        pod_failure_policy=_drains_do_not_count(),
        template=PodTemplateSpecArgs(metadata=ObjectMetaArgs(labels={**labels}), spec=pod),
    )


def _try_database(settings: HubSettings) -> ContainerArgs:
    """Return the container that ends well if the hub can start with its database, also with none yet."""
    return ContainerArgs(
        name="try-database",
        image=settings.image,
        command=["python3", f"{CONFIG_DIRECTORY}/{TRY_DATABASE}"],
        security_context=container_security(),
        volume_mounts=[
            VolumeMountArgs(name="config", mount_path=CONFIG_DIRECTORY, read_only=True),
            VolumeMountArgs(name="keys", mount_path=SECRETS_DIRECTORY, read_only=True),
            VolumeMountArgs(name="database", mount_path=DATABASE_DIRECTORY, read_only=True),
        ],
    )


def _drains_do_not_count() -> PodFailurePolicyArgs:
    """Return the rule by which a pod whose node is drained meanwhile is made again."""
    disturbed = PodFailurePolicyOnPodConditionsPatternArgs(type="DisruptionTarget", status="True")
    return PodFailurePolicyArgs(rules=[PodFailurePolicyRuleArgs(action="Ignore", on_pod_conditions=[disturbed])])
