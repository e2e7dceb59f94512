"""Images on nodes before people ask for them: the files and values of what pulls them, and what it may do."""

from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.rbac.v1 import ClusterRole, ClusterRoleBinding, PolicyRuleArgs, RoleRefArgs, SubjectArgs

from components.apps.hub.pulling import server_pull_secrets
from programs import hub as hub_program
from stacks.settings import HubSettings

FILES: Final = ("36-images.py", "images.html", "placing.py", "prepulling.py", "pull_images.py")
"""In the hub's configuration where images are pulled before people ask for them, and only there."""
STATUS_FILE: Final = "images-on-nodes.json"
"""What was last seen, beside the hub's database."""
DEFAULT_FILE: Final = "default-image.json"
"""What servers start with while the nodes pull a new `server_image`, beside the hub's database."""
NODE_RULES: Final = (PolicyRuleArgs(api_groups=[""], resources=["nodes"], verbs=["get", "list"]),)
"""Beside the right to make pods, which the hub has: a node says itself which images it has."""
_DIRECTORY: Final = Path(hub_program.__file__).parent / "images"


def image_files(hub: HubSettings) -> dict[str, str]:
    """Return by name the files that have images pulled, none where none are."""
    return {name: (_DIRECTORY / name).read_text() for name in FILES} if hub.prepulls else {}


def image_values(hub: HubSettings, directory: str) -> dict[str, Any]:
    """Return what the fragment reads as `site["prepuller"]`; the images of the menu are not among its own.

    Which machines they are for follows from the profiles of `site["menu"]`; `extra_images` are for all. `directory` is
    the database's.
    """
    if not hub.prepulls:
        return {}
    settings = hub.pre_puller
    overrides = [each.kubespawner_override.image for each in hub.profile_list]
    of_profiles = [image for image in overrides if image] if settings.pull_profile_list_images else []
    extra = [image.image for _, image in sorted(settings.extra_images.items())]
    return {
        "prepuller": {
            "images": [hub.server_image, *of_profiles],
            "extra_images": extra,
            "pull_secrets": server_pull_secrets(hub),
            "file": f"{directory}/{STATUS_FILE}",
            "new_image_waits": hub.new_image_waits,
        }
    }


def let_nodes_be_seen(
    name: str, account: pulumi.Input[str], namespace: pulumi.Input[str], options: pulumi.ResourceOptions
) -> None:
    """Let the hub's account see nodes. `name` begins the objects' names in the state."""
    about = ObjectMetaArgs(labels={"app.kubernetes.io/name": "jupyterhub"})
    role = ClusterRole(f"{name}-nodes-role", metadata=about, rules=list(NODE_RULES), opts=options)
    ClusterRoleBinding(
        f"{name}-nodes-binding",
        metadata=about,
        subjects=[SubjectArgs(kind="ServiceAccount", name=account, namespace=namespace)],
        role_ref=RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=role.metadata.name),
        opts=options,
    )
