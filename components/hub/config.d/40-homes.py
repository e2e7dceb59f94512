"""A home is made by the file server, which also tells whose numeric id the server must run with."""

import json
from urllib.parse import quote

from kubespawner import KubeSpawner
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

homes = site["homes"]


class HomeError(Exception):
    """The file server made no home; the message is for the person who waits."""

    def __init__(self, user: str, reason: object) -> None:
        super().__init__(f"no home for {user} from {homes['maker_url']}: {reason}")
        self.jupyterhub_message = (
            f"Your home directory could not be reached, so your server was not started ({reason}). "
            "Your files are safe. Please try again in a minute, and tell an administrator if it goes on."
        )


async def make_home(spawner: KubeSpawner) -> None:
    """See to it that the home exists, and run the server as its owner."""
    user = spawner.user.name
    request = HTTPRequest(
        f"{homes['maker_url']}/homes/{quote(user, safe='')}",
        method="POST",
        body="",
        ca_certs=homes["ca"],
        client_cert=homes["certificate"],
        client_key=homes["key"],
        connect_timeout=5,
        request_timeout=30,
    )
    try:
        owner = json.loads((await AsyncHTTPClient().fetch(request)).body)
        spawner.uid, spawner.gid = int(owner["uid"]), int(owner["gid"])
    except Exception as error:  # whatever stands between a person and their home, they are told the same way
        raise HomeError(user, error) from error


c.KubeSpawner.pre_spawn_hook = make_home
