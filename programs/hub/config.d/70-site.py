"""What the site adds in its settings: environment, files and volumes of user servers; services and roles."""

from henhouse_hub import c, secret, site

added = site["added"]

# The values are in a Secret of the users' namespace: the hub and whoever lists pods see names alone. Optional, because
# a container may be started again after the site has dropped the variable.
c.KubeSpawner.environment.update(
    {
        name: {"valueFrom": {"secretKeyRef": {"name": added["secret"], "key": f"env.{name}", "optional": True}}}
        for name in added["environment"]
    }
)
if added["files"]:
    items = [{"key": f"file.{each['key']}", "path": each["key"], "mode": each["mode"]} for each in added["files"]]
    c.KubeSpawner.volumes.append(
        {"name": "files", "secret": {"secretName": added["secret"], "items": items, "optional": True}}
    )
    c.KubeSpawner.volume_mounts.extend(
        {"name": "files", "mountPath": each["path"], "subPath": each["key"], "readOnly": True}
        for each in added["files"]
    )
c.KubeSpawner.volumes.extend(added["volumes"])
c.KubeSpawner.volume_mounts.extend(added["mounts"])

for service in added["services"]:
    token = {"api_token": secret(f"service.{service['name']}")} if service.pop("has_token") else {}
    c.JupyterHub.services.append({**service, **token})
c.JupyterHub.load_roles.extend(added["roles"])
