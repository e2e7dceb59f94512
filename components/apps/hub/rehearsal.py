"""Trying a configuration before the hub restarts with it, where a site has fragments of its own.

The hub is one pod, which ends before the next one starts. So what ends the new one would leave people without a hub.
"""

from typing import Final

from pulumi_kubernetes.batch.v1 import JobSpecArgs
from pulumi_kubernetes.core.v1 import ContainerArgs, PodTemplateSpecArgs, ResourceRequirementsArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.apps.hub.added import hub_environment
from components.apps.hub.addresses import REHEARSAL_LABELS
from components.apps.hub.hub import HUB_CPU, HUB_MEMORY, HubNames, configuration_mounts, configured_pod
from components.apps.hub.site_json import CONFIG_DIRECTORY, REHEARSAL
from components.kube.pods import container_security
from stacks.settings import HubSettings

LONGEST_SECONDS: Final = 540
"""A minute less than Pulumi waits for a Job, so that the Job says what was wrong."""
REPLACE_UNREADY: Final = {"pulumi.com/replaceUnready": "true"}
"""The next `up` begins a failed rehearsal again: what it failed at may have been the cluster's."""


def rehearsal_job(settings: HubSettings, names: HubNames) -> JobSpecArgs:
    """Return the Job that reads the configuration as the hub will.

    Its pod is the hub's, with the same volumes on the same node, but for the database, which its container does not
    see. It takes part in no Service, and its policy lets no pod connect to it.
    """
    container = ContainerArgs(
        name="rehearsal",
        image=settings.image,
        command=["python3", f"{CONFIG_DIRECTORY}/{REHEARSAL}"],
        working_dir="/tmp",
        # Where the program is ended before it has written why, the end of its log is in what Pulumi says.
        termination_message_policy="FallbackToLogsOnError",
        resources=ResourceRequirementsArgs(requests={"cpu": HUB_CPU, "memory": HUB_MEMORY}),
        security_context=container_security(),
        volume_mounts=configuration_mounts(settings),
        env=hub_environment(settings, names.keys) or None,
    )
    return JobSpecArgs(
        backoff_limit=0,
        active_deadline_seconds=LONGEST_SECONDS,
        template=PodTemplateSpecArgs(
            metadata=ObjectMetaArgs(labels={**REHEARSAL_LABELS}),
            spec=configured_pod(settings, names, container, restart_policy="Never"),
        ),
    )
