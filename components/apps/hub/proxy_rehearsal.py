"""Trying the proxy before the one that people use is stopped: its image and the settings that it is started with."""

from pathlib import Path
from typing import Final

import pulumi
from pulumi_kubernetes.batch.v1 import JobSpecArgs
from pulumi_kubernetes.core.v1 import ContainerArgs, PodSpecArgs
from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgs

from components.apps.hub.addresses import PROXY_PORT, PROXY_REHEARSAL_LABELS
from components.apps.hub.proxy import PROXY_USER, proxy_command, proxy_environment
from components.apps.hub.pulling import own_pull_secrets
from components.apps.hub.rehearsal import one_attempt
from components.kube.pods import container_security, on_nodes_for, pod_security
from components.kube.policies import policy
from programs import hub as hub_program
from stacks.settings import HubSettings

LONGEST_SECONDS: Final = 120
"""For the proxy to answer. It takes one or two."""
_PROGRAM: Final = Path(hub_program.__file__).with_name("rehearse_proxy.js")


def proxy_rehearsal_job(settings: HubSettings, *, hub_url: pulumi.Input[str], token: pulumi.Input[str]) -> JobSpecArgs:
    """Return the Job that starts the proxy as its Deployment will, asks it once whether it is well, and ends it.

    It runs beside the proxy that people use, on a node that may be another than that one's, with no room kept free, and
    gets no connection of people's. The image has node, which the proxy is a program of.
    """
    container = ContainerArgs(
        name="proxy-rehearsal",
        image=settings.proxy_image,
        command=[
            *("node", "-e", _PROGRAM.read_text(), "--", str(PROXY_PORT), str(LONGEST_SECONDS)),
            *proxy_command(hub_url),
        ],
        env=proxy_environment(token),
        termination_message_policy="FallbackToLogsOnError",
        security_context=container_security(),
    )
    pod = PodSpecArgs(
        automount_service_account_token=False,
        image_pull_secrets=own_pull_secrets(settings),
        enable_service_links=False,
        affinity=on_nodes_for("core"),
        security_context=pod_security(PROXY_USER),
        containers=[container],
        restart_policy="Never",
    )
    return one_attempt(PROXY_REHEARSAL_LABELS, pod)


def proxy_rehearsal_policy() -> NetworkPolicySpecArgs:
    """Return the policy of its pod, which connects to itself alone."""
    return policy(PROXY_REHEARSAL_LABELS, egress=[])
