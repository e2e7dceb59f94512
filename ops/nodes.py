"""What a site's nodes report of themselves, read from a control plane over SSH, as the machines' roles are."""

from collections.abc import Mapping
from typing import Any, Final

import asyncssh

from converge.connection import JumpError, Jumps, reason, where
from converge.state import AppliedRole, applied_roles

ROLE: Final = "control-plane"
"""The role of machines that have the administrator's kubeconfig."""
SECONDS: Final = 60
_KUBECTL: Final = "kubectl --kubeconfig=/etc/kubernetes/admin.conf"
_NODES: Final = '{range .items[*]}{.metadata.name}{range .status.images[*].names[*]}{" "}{@}{end}{"\\n"}{end}'
_PODS: Final = '{range .items[*]}{.metadata.name}{range .status.containerStatuses[*]}{" "}{.imageID}{end}{"\\n"}{end}'
# A kubelet tells of its fifty largest images (nodeStatusMaxImages): what runs may be another.
_LIST: Final = (
    f"{_KUBECTL} get nodes --output=jsonpath='{_NODES}'",
    f"{_KUBECTL} get pods --all-namespaces --output=jsonpath='{_PODS}'",
)


class NodesError(Exception):
    """The nodes could not be listed; the message says why."""


async def images_on_nodes(state: Mapping[str, Any], repository: str) -> dict[str, str]:
    """Return by digest a node that has that image of the repository, or a pod that runs it.

    NodesError when no control plane answers.
    """
    roles = [each for each in applied_roles(state) if each.role == ROLE]
    if not roles:
        raise NodesError("the stack's state has no control plane that could say which images are on nodes")
    return on_nodes(await _listed(roles[0]), repository)


def on_nodes(listed: str, repository: str) -> dict[str, str]:
    """Return the same from kubectl's output: one line per node or pod, its name first, then the names of its images."""
    found: dict[str, str] = {}
    for line in listed.splitlines():
        where_it_is, *names = line.split() or [""]
        for name in names:
            path, _, digest = name.partition("@")
            if digest and path == repository:
                found.setdefault(digest, where_it_is)
    return found


async def _listed(role: AppliedRole) -> str:
    connection = role.connection
    sudo = "" if connection.get("user", "root") == "root" else "sudo --non-interactive "
    command = " && ".join(f"{sudo}{each}" for each in _LIST)
    try:
        async with Jumps() as jumps, await jumps.connect(connection) as session:
            done = await session.run(command, timeout=SECONDS, errors="replace", stdin=asyncssh.DEVNULL)
    except (JumpError, OSError, asyncssh.Error, asyncssh.KeyImportError, TimeoutError) as error:
        raise NodesError(f"{where(connection)}: {reason(error)}") from error
    if done.exit_status != 0:
        raise NodesError(f"{role.machine} cannot list nodes and pods: {str(done.stderr).strip()[:400]}")
    return str(done.stdout)
