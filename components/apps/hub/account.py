"""The hub's service account, and what it may do."""

import pulumi
from pulumi_kubernetes.core.v1 import ServiceAccount
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.rbac.v1 import Role, RoleBinding, RoleRefArgs, SubjectArgs

from components.apps.hub.servers import SPAWNER_RULES
from components.contracts.cluster import Namespaces


def service_account(name: str, namespaces: Namespaces, options: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Make the account for the hub's pod and return its name.

    It may do what `SPAWNER_RULES` say in the users' namespace, and nothing else. `name` begins its objects' names in
    the state.
    """
    account = ServiceAccount(f"{name}-account", metadata=ObjectMetaArgs(namespace=namespaces.hub), opts=options)
    users = ObjectMetaArgs(namespace=namespaces.users)
    role = Role(f"{name}-spawner-role", metadata=users, rules=list(SPAWNER_RULES), opts=options)
    RoleBinding(
        f"{name}-spawner-binding",
        metadata=users,
        subjects=[SubjectArgs(kind="ServiceAccount", name=account.metadata.name, namespace=namespaces.hub)],
        role_ref=RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name=role.metadata.name),
        opts=options,
    )
    made: pulumi.Output[str] = account.metadata.name
    return made
