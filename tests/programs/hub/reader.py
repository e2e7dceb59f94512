"""Run by JupyterHub's own interpreter: what the hub and KubeSpawner make of the configuration, as JSON."""
# mypy: ignore-errors

import asyncio
import json
import sys
from pathlib import Path
from types import SimpleNamespace

from jupyterhub.app import JupyterHub
from jupyterhub.orm import new_session_factory
from kubernetes_asyncio.client import ApiClient
from kubespawner import KubeSpawner


class User(SimpleNamespace):
    """As much of a user as a pod is made of."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, id=1, escaped_name=name, url=f"/user/{name}/", settings={}, state=None)

    async def get_auth_state(self) -> object:
        """Return what a login left."""
        return self.state


def read(path: str) -> JupyterHub:
    hub = JupyterHub()
    hub.load_config_file(path)
    return hub


def spawner_of(hub: JupyterHub, name: str) -> KubeSpawner:
    place = SimpleNamespace(api_url="http://hub/hub/api", url="http://hub/hub/", base_url="/hub/", public_host="")
    spawner = hub.spawner_class(config=hub.config, user=User(name), hub=place, _mock=True)
    spawner.api_token = "token"
    return spawner


async def settings(hub: JupyterHub, *names: str) -> object:
    authenticator = hub.authenticator_class(parent=hub, _deprecated_db_session=new_session_factory("sqlite://")())
    return {
        "authenticator": type(authenticator).__name__,
        "valid_names": [name for name in names if authenticator.validate_username(name)],
        "administrators": sorted(authenticator.admin_users),
        "services": hub.services,
        "roles": hub.load_roles,
        "db_url": hub.db_url,
        "cleanup_servers": hub.cleanup_servers,
        "crypt_keys": hub.config.CryptKeeper["keys"],
    }


async def pod(hub: JupyterHub, name: str) -> object:
    spawner = spawner_of(hub, name)
    spawner.uid, spawner.gid = 100001, 100001
    return ApiClient().sanitize_for_serialization(await spawner.get_pod_manifest())


async def home(hub: JupyterHub, name: str, state: str = "null") -> object:
    spawner = spawner_of(hub, name)
    spawner.user.state = json.loads(state)
    try:
        await spawner.run_pre_spawn_hook()
    except Exception as error:
        return {"told": error.jupyterhub_message}
    await spawner.run_pre_spawn_hook()  # as at the next start
    made = ApiClient().sanitize_for_serialization(await spawner.get_pod_manifest())
    mounts = [each for each in made["spec"]["containers"][0]["volumeMounts"] if each["name"] == "home"]
    files = {name.rpartition("/")[2]: text for name, text in spawner.extra_annotations.items()}
    groups = made["spec"]["securityContext"]["supplementalGroups"]
    ids = {"uid": spawner.uid, "gid": spawner.gid, "fs_gid": spawner.fs_gid, "groups": groups}
    return {**ids, "mounts": mounts, **files}


async def watch(hub: JupyterHub, asked: str) -> object:
    """Whether pods are seen before the API server is there, afterwards, and after KubeSpawner's reflector gave up."""
    spawner = spawner_of(hub, "ada")
    before = await sees(spawner)
    Path(asked).touch()
    async with asyncio.timeout(60):
        while not await sees(spawner):
            await asyncio.sleep(0.05)
    given_up = spawner.pod_reflector.watch_task
    given_up.cancel()
    await asyncio.wait([given_up])
    return {"before": before, "there": True, "again": await sees(spawner)}


async def sees(spawner: KubeSpawner) -> bool:
    try:
        await spawner.poll()
    except Exception:
        return False
    return spawner.pod_reflector.watch_task is not None and not spawner.pod_reflector.watch_task.done()


if __name__ == "__main__":
    question, path, *arguments = sys.argv[1:]
    asked = {"settings": settings, "pod": pod, "home": home, "watch": watch}[question]
    print(json.dumps(asyncio.run(asked(read(path), *arguments))))
