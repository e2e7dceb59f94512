"""Run by JupyterHub's own interpreter: what the hub and KubeSpawner make of the configuration, as JSON."""
# mypy: ignore-errors

import asyncio
import inspect
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import AsyncMock, Mock, patch

import nativeauthenticator
from jupyterhub import handlers, orm
from jupyterhub.app import JupyterHub
from jupyterhub.crypto import CryptKeeper
from jupyterhub.orm import new_session_factory
from jupyterhub.scopes import scope_definitions
from kubernetes_asyncio.client import ApiClient
from kubespawner import KubeSpawner
from tornado.web import HTTPError


class User(SimpleNamespace):
    """As much of a user as a pod is made of."""

    def __init__(self, name: str, *groups: str) -> None:
        of = [SimpleNamespace(name=group) for group in groups]
        super().__init__(
            name=name, id=1, escaped_name=name, url=f"/user/{name}/", settings={}, groups=of, state=None, db=Mock()
        )

    def sync_groups(self, names: set[str]) -> None:
        """Be in these groups, and in no other."""
        self.groups = [SimpleNamespace(name=name) for name in sorted(names)]

    async def get_auth_state(self) -> object:
        """Return what a login left."""
        return self.state


def read(path: str) -> JupyterHub:
    hub = JupyterHub()
    hub.load_config_file(path)
    return hub


def spawner_of(hub: JupyterHub, name: str, *groups: str) -> KubeSpawner:
    place = SimpleNamespace(api_url="http://hub/hub/api", url="http://hub/hub/", base_url="/hub/", public_host="")
    spawner = hub.spawner_class(config=hub.config, user=User(name, *groups), hub=place, _mock=True)
    spawner.api_token = "token"
    return spawner


async def settings(hub: JupyterHub, *names: str) -> object:
    authenticator = hub.authenticator_class(parent=hub, _deprecated_db_session=new_session_factory("sqlite://")())
    return {
        "authenticator": type(authenticator).__name__,
        "lets_everybody_in": authenticator.allow_all,
        "valid_names": [name for name in names if authenticator.validate_username(name)],
        "administrators": sorted(authenticator.admin_users),
        "services": hub.services,
        "roles": hub.load_roles,
        "db_url": hub.db_url,
        "cleanup_servers": hub.cleanup_servers,
        "limits": [
            hub.concurrent_spawn_limit,
            hub.active_server_limit,
            spawner_of(hub, "ada").consecutive_failure_limit,
        ],
        "kubernetes_seconds": [
            getattr(spawner_of(hub, "ada"), f"k8s_api_request_{which}") for which in ("timeout", "retry_timeout")
        ],
        "proxy": hub.proxy_class.__name__,
        "crypt_keys": hub.config.CryptKeeper["keys"],
    }


async def scopes(hub: JupyterHub) -> object:
    return sorted(scope_definitions)


async def lengths(hub: JupyterHub, *columns: str) -> object:
    """Return how many characters columns have, such as roles.description."""
    parts = (each.split(".") for each in columns)
    return [orm.Base.metadata.tables[table].columns[name].type.length for table, name in parts]


async def templates(hub: JupyterHub) -> object:
    """Return the templates that there are upstream with what each extends, what all get, and where is an answer."""
    authenticator = hub.authenticator_class(parent=hub, _deprecated_db_session=new_session_factory("sqlite://")())
    paths = [each[0] for each in (*handlers.default_handlers, *authenticator.get_handlers(hub))]
    source = inspect.getsource(handlers.base.BaseHandler.template_namespace.fget)
    upstream = Path(hub._template_paths_default()[0])
    native = Path(nativeauthenticator.__file__).parent / "templates"
    return {
        "jupyterhub": extends(upstream),
        "native": extends(native),
        "blocks": sorted(
            {
                name
                for directory in (upstream, native)
                for path in directory.glob("*.html")
                for name in re.findall(r"{%-? *block +(\w+)", path.read_text())
            }
        ),
        "variables": re.findall(r"^ +(\w+)=", source, re.MULTILINE),
        "paths": paths,
        "own": [each[0] for each in hub.extra_handlers],
    }


def extends(directory: Path) -> dict[str, str]:
    first = re.compile(r'{% extends "(.*?)" %}')
    found = {path.name: first.search(path.read_text()) for path in directory.glob("*.html")}
    return {name: match[1] if match else "" for name, match in found.items()}


async def keep(hub: JupyterHub) -> object:
    """Keep a login as JupyterHub does."""
    db = new_session_factory(hub.db_url)()
    db.add(
        orm.User(name="ada", encrypted_auth_state=await CryptKeeper(config=hub.config).encrypt({"access_token": "x"}))
    )
    db.commit()
    return None


async def kept(hub: JupyterHub) -> object:
    """Return the login that is kept."""
    user = new_session_factory(hub.db_url)().query(orm.User).one()
    return await CryptKeeper(config=hub.config).decrypt(user.encrypted_auth_state)


async def pod(hub: JupyterHub, name: str) -> object:
    spawner = spawner_of(hub, name)
    spawner.uid, spawner.gid = 100001, 100001
    return ApiClient().sanitize_for_serialization(await spawner.get_pod_manifest())


async def starts(hub: JupyterHub, name: str, groups: str, *forms: str) -> object:
    """Start servers with these forms as JupyterHub does; return each pod with the remarks on it and the choice that is
    kept, or why there is none.

    A form is of the page, `{"api": options}` a choice by the API, and `{"saved": options}` the choice of an earlier
    start, for one that chooses nothing.
    """
    return [await started(spawner_of(hub, name, *json.loads(groups)), json.loads(form)) for form in forms]


async def started(spawner: KubeSpawner, form: object) -> object:
    try:
        by_form = all(isinstance(values, list) for values in form.values())
        (options,) = [spawner.run_options_from_form(form)] if by_form else form.values()
        spawner.user_options = options
        spawner.orm_spawner = orm.Spawner(name="", user_options=options)
        request = SimpleNamespace(method="POST", body=b"" if "saved" in form else b"{}")
        spawner.handler = SimpleNamespace(request=request)
        await spawner._run_apply_user_options(spawner.user_options)
        # Of what KubeSpawner does then, the part before its first request to the API server.
        with patch.object(KubeSpawner, "_start", lambda starting: starting.load_user_options()):
            await spawner.start()
    except Exception as error:
        told = getattr(error, "jupyterhub_message", repr(error))
        return {"refused": told, "status": getattr(error, "status_code", 0)}
    spawner.uid, spawner.gid = 100001, 100001
    made = ApiClient().sanitize_for_serialization(await spawner.get_pod_manifest())
    return {"pod": made, "remarks": list(spawner.remarks), "kept": spawner.orm_spawner.user_options}


async def home(hub: JupyterHub, name: str, state: str = "null") -> object:
    spawner = spawner_of(hub, name)
    db = new_session_factory(hub.db_url)()
    spawner.authenticator = hub.authenticator_class(parent=hub, _deprecated_db_session=db)
    spawner.user.state = json.loads(state)
    hook = asyncio.create_task(spawner.run_pre_spawn_hook())
    awaited = await awaits(spawner, hook)
    try:
        await hook
    except Exception as error:
        return {"told": error.jupyterhub_message, "awaited": awaited}
    await spawner.run_pre_spawn_hook()  # as at the next start
    made = ApiClient().sanitize_for_serialization(await spawner.get_pod_manifest())
    mounts = [each for each in made["spec"]["containers"][0]["volumeMounts"] if each["name"] == "home"]
    files = {name.rpartition("/")[2]: text for name, text in spawner.extra_annotations.items()}
    groups = made["spec"]["securityContext"]["supplementalGroups"]
    ids = {"uid": spawner.uid, "gid": spawner.gid, "fs_gid": spawner.fs_gid, "groups": groups}
    return {**ids, "mounts": mounts, "awaited": awaited, **files}


async def shared(hub: JupyterHub, name: str, *starts: str) -> object:
    """Return the pods of a person who starts a server again and again, each time in these groups."""
    spawner = spawner_of(hub, name)
    pods = []
    for start in map(json.loads, starts):
        spawner.user.groups = [SimpleNamespace(name=group) for group in start.get("groups", [])]
        spawner.user.state = {"henhouse": {"account": "x y", "groups": start.get("organizations", {})}}
        await spawner.run_auth_state_hook(spawner.user.state)
        await spawner.run_pre_spawn_hook()
        spawner.user_options = start.get("options", {})
        await spawner.load_user_options()
        pods.append(ApiClient().sanitize_for_serialization(await spawner.get_pod_manifest()))
    return pods


async def redirected(hub: JupyterHub) -> object:
    """Return how long, and how often, a request is sent back to a server whose route the proxy lost; the server has
    another version of JupyterHub than the hub."""
    spawner = spawner_of(hub, "ada")
    spawner._jupyterhub_version = "5.0.0"  # as User.spawn takes it from what the server answers
    return {"given_back_every": hub.last_activity_interval, **await sent_back(hub, spawner)}


async def sent_back(hub: JupyterHub, spawner: KubeSpawner) -> dict[str, int]:
    handler = Mock(base_url="/", settings=hub.tornado_settings, subdomain_host="")
    handler.hub.base_url = "/hub/"
    with patch("jupyterhub.handlers.base.asyncio.sleep", AsyncMock()) as sleep:
        for redirects in range(100):
            handler.request.uri = f"/hub/user/ada/lab?redirects={redirects}"
            handler.get_argument.return_value = str(redirects)
            try:
                await handlers.base.UserUrlHandler._redirect_to_user_server(handler, spawner.user, spawner)
            except HTTPError:
                return {"times": redirects, "seconds": sum(call.args[0] for call in sleep.await_args_list)}
    raise AssertionError("it never ends")


async def awaits(spawner: KubeSpawner, hook: asyncio.Task[None]) -> list[str]:
    """Return what the person's page says while the start waits for something."""
    while not spawner.awaited and not hook.done():
        await asyncio.sleep(0.02)
    return [] if hook.done() else [(await anext(spawner.progress()))["message"]]


async def person(hub: JupyterHub, name: str, *states: str) -> object:
    """Return the pods of a person who starts a server again and again, each time after a login that left this."""
    spawner = spawner_of(hub, name)
    spawner.uid, spawner.gid = 100007, 100007
    pods = []
    for state in states:
        await spawner.run_auth_state_hook(json.loads(state))
        pods.append(ApiClient().sanitize_for_serialization(await spawner.get_pod_manifest()))
    return pods


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
    asked = {
        "settings": settings,
        "pod": pod,
        "home": home,
        "redirected": redirected,
        "person": person,
        "shared": shared,
        "scopes": scopes,
        "lengths": lengths,
        "keep": keep,
        "kept": kept,
        "templates": templates,
        "starts": starts,
        "watch": watch,
    }[question]
    print(json.dumps(asyncio.run(asked(read(path), *arguments))))
