"""A home is made by the file server, which also tells the numeric id that the server must run with. What the person
shares with others is on the same file server, which answers when the home is there."""

import json
from typing import Any
from urllib.parse import quote

from file_server import OthersFirst, answered
from henhouse_hub import c, site
from identity import USERS_GROUP, group_file, passwd_file
from kubespawner import KubeSpawner
from sharing import own_group, share_directories
from tornado.httpclient import HTTPRequest

homes = site["homes"]


class HomeError(Exception):
    """A home cannot be used; the message is for the person who waits for the server."""

    def __init__(self, user: str, what: str, reason: object, advice: str) -> None:
        super().__init__(f"no home for {user} from {homes['provisioner_url']}: {reason}")
        self.jupyterhub_message = f"{what}, so your server was not started: {reason}. Your files are safe. {advice}"


NOT_YET = (
    "The file server with your home directory does not answer yet. The hub tries again every few seconds, and your "
    "server starts as soon as it answers. Your files are safe"
)
MANY = (
    "Many people start a server at this moment. Yours asks the file server for your home directory when it is its turn"
)
TRY_AGAIN = "Please try again in a minute, and contact an administrator if this keeps happening."
ASK = "Trying again does not help. Please contact an administrator, and quote this message."


def reason_in(body: bytes, status: int) -> str:
    """Return the reason that the file server gives for having made no home."""
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return f"the file server answered with status {status}"


async def identity_of(spawner: KubeSpawner) -> dict[str, Any]:
    """Return what a login by an identity provider knows of the person (entry.py).

    Of people whose accounts the hub keeps, nothing, but for the account of one whose name was another's (native.py).
    """
    own = getattr(spawner.authenticator, "account_of", None)
    if own and (account := own(spawner.user.name)):
        return {"account": account}
    state = await spawner.user.get_auth_state() or {}
    return dict(state.get("henhouse") or {})


async def make_home(spawner: KubeSpawner) -> None:
    """See to it that the home exists, and run the server as its owner."""
    user = spawner.user.name
    person = await identity_of(spawner)
    asked = {key: person[key] for key in ("account", "uid") if person.get(key)}
    request = HTTPRequest(
        f"{homes['provisioner_url']}/homes/{quote(user, safe='')}",
        method="POST",
        body=json.dumps(asked) if asked else "",
        ca_certs=homes["ca"],
        client_cert=homes["certificate"],
        client_key=homes["key"],
        # A hub that is short of a processor takes longer than tornado's usual limits for the handshake, and an attempt
        # that is given up and made again costs it another handshake (docs/hub-load.md).
        connect_timeout=10,
        request_timeout=30,
    )

    def waits(reason: Exception) -> None:
        spawner.log.warning("no answer for %s from %s yet: %s", user, homes["provisioner_url"], reason)
        spawner.awaited = MANY if isinstance(reason, OthersFirst) else NOT_YET

    try:
        answer = await answered(request, homes["patience_seconds"], waits)
    except Exception as error:  # whatever stands between a person and their home, they get the same message
        raise _logged(spawner, HomeError(user, "Your home directory could not be reached", error, TRY_AGAIN)) from error
    finally:
        spawner.awaited = ""
    if answer.code >= 400:
        reason = reason_in(answer.body, answer.code)
        if answer.code < 500:  # a name or a directory that is not as it has to be: it stays so until it is changed
            raise _logged(spawner, HomeError(user, "Your home directory cannot be used", reason, ASK))
        raise _logged(spawner, HomeError(user, "Your home directory could not be made", reason, TRY_AGAIN))
    home = json.loads(answer.body)
    spawner.uid = int(home["uid"])
    spawner.gid = own_group(spawner.uid, int(home["gid"]), site["shares"])
    mount = {"name": "home", "mountPath": spawner.working_dir, "subPath": home.get("directory", user)}
    # The spawner may have started a server before.
    spawner.volume_mounts = [mount, *(each for each in spawner.volume_mounts if each["name"] != "home")]
    groups = share_directories(spawner, site["shares"], person.get("groups", {}))
    spawner.supplemental_gids = [USERS_GROUP, *groups.values()]
    spawner.groups_in_the_server = groups  # for EXTERNAL_GROUPS (person.py)
    names = {
        "passwd": passwd_file(user, spawner.uid, spawner.gid, spawner.working_dir),
        "group": group_file(user, spawner.gid, groups),
    }
    spawner.extra_annotations = {
        **spawner.extra_annotations,
        **{f"henhouse.internal/{name}": text for name, text in names.items()},
    }


def _logged(spawner: KubeSpawner, error: HomeError) -> HomeError:
    spawner.log.error("%s", error)
    return error


c.KubeSpawner.pre_spawn_hook = make_home
