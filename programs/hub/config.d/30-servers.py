"""User servers: one pod each, in a namespace of their own, under the Pod Security Standard `restricted`."""

from contextlib import suppress
from pathlib import Path
from time import time

from default_image import Default, read_default, write_default
from henhouse_hub import c, site
from identity import USERS_GROUP
from image_names import names_of
from steady_spawner import SteadySpawner, drop_profile

HOME = "/home/jovyan"
server = site["server"]

c.JupyterHub.spawner_class = SteadySpawner
c.KubeSpawner.apply_user_options = drop_profile  # 35-menu.py has another
limits = site["limits"]
c.JupyterHub.concurrent_spawn_limit = limits["starting"]
c.JupyterHub.active_server_limit = limits["active"]
c.KubeSpawner.consecutive_failure_limit = limits["failures"]
c.KubeSpawner.namespace = site["users_namespace"]
# Upstream waits 3 s for an answer of the API server's, and 30 s for one in time. A hub that is short of a processor is
# itself later than that: it asks again, is told that the pod exists, deletes it, and gives up (docs/hub-load.md).
c.KubeSpawner.k8s_api_request_timeout = 30
c.KubeSpawner.k8s_api_request_retry_timeout = max(60, server["start_timeout"] - 30)

# The image's entry point stays: in Jupyter's images start.sh, which is why passwd has their user (identity.py).
# This is what it runs.
c.KubeSpawner.image = server["image"]
c.KubeSpawner.image_pull_secrets = server["pull_secrets"]
# 36-images.py lets a new image wait for the nodes (default_image.py). Where it does not, servers start with this
# one at once; it is kept for the edit by which the next one has to wait. A disk that takes nothing only loses that.
# Machines remove what the settings say, so no server starts with that meanwhile.
before = read_default(Path(server["default_image_file"]))
gone = before is not None and any(not names_of(each).isdisjoint(server["removed"]) for each in before.images)
if gone or not site.get("prepuller", {}).get("new_image_waits"):
    with suppress(OSError):
        write_default(Path(server["default_image_file"]), Default(server["image"], server["image"], time()))
c.KubeSpawner.cmd = ["jupyterhub-singleuser"]
c.KubeSpawner.port = server["port"]
c.KubeSpawner.default_url = "/lab"
c.KubeSpawner.start_timeout = server["start_timeout"]
c.KubeSpawner.http_timeout = server["start_timeout"]
# How soon the hub notices a server that ended with its machine. Until then the proxy leads to an address where nothing
# answers. Upstream's 30 s are for spawners that ask a computer; this one looks at what the watch of pods has told it.
c.KubeSpawner.poll_interval = 10

c.KubeSpawner.cpu_guarantee = server["cpu_guarantee"]
c.KubeSpawner.cpu_limit = server["cpu_limit"]
c.KubeSpawner.mem_guarantee = server["mem_guarantee"]
c.KubeSpawner.mem_limit = server["mem_limit"]
c.KubeSpawner.node_affinity_required = [
    {"matchExpressions": [{"key": site["purpose_label"], "operator": "In", "values": ["user", "any"]}]}
]

c.KubeSpawner.automount_service_account_token = False
# Otherwise every Service of the namespace becomes a dozen variables in everyone's environment.
c.KubeSpawner.extra_pod_config = {"enableServiceLinks": False}
c.KubeSpawner.container_security_context = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}

# The numeric owner of a home has no line in the image's passwd, which is where HOME would come from.
c.KubeSpawner.environment = {
    "HOME": HOME,
    "USER": lambda spawner: spawner.user.name,
    "LOGNAME": lambda spawner: spawner.user.name,
}
c.KubeSpawner.working_dir = HOME
# passwd and group with the person's name travel as annotations of the pod: no image has to be made for them, and the
# hub needs no right but that of making pods.
NAMES = ("passwd", "group")
annotations = {name: {"fieldPath": f"metadata.annotations['henhouse.internal/{name}']"} for name in NAMES}
c.KubeSpawner.volumes = [
    {"name": "home", "persistentVolumeClaim": {"claimName": site["homes"]["claim"]}},
    {
        "name": "identity",
        "downwardAPI": {"items": [{"path": name, "fieldRef": field} for name, field in annotations.items()]},
    },
]
# The home is mounted by 40-homes.py, which asks what its directory is called.
c.KubeSpawner.volume_mounts = [
    {"name": "identity", "mountPath": f"/etc/{name}", "subPath": name, "readOnly": True} for name in NAMES
]
c.KubeSpawner.supplemental_gids = [USERS_GROUP]
# An image's /etc/group must not make its user a member of other people's groups.
c.KubeSpawner.pod_security_context = {"supplementalGroupsPolicy": "Strict"}
# No fs_gid: the kubelet would change the group of every file in the home at every start.
