"""Ends what a person has of the hub: sessions, tokens and servers; shipped to the hub beside its configuration."""

import asyncio
from typing import Any, Final

from jupyterhub.utils import new_token
from sqlalchemy.orm import object_session
from tornado.log import app_log

PATIENCE_SECONDS: Final = 10
"""How long whoever sends a person away waits for the end of their servers, which comes also later than that."""
_LOOK_AGAIN_SECONDS: Final = 0.5
_SERVERS_TOKEN: Final = "Server at "
"""How JupyterHub notes for what a server's token is (User.spawn)."""
_ending: Final[set[asyncio.Task[None]]] = set()


def end_sessions(user: Any, *, session: str | None = None, servers_stay: bool = False) -> None:
    """Log a person of the database (orm.User) out of every browser, and take back what has their rights.

    Browsers of the `session` keep their way into servers, and need a new cookie of the hub's. Where `servers_stay`,
    running servers keep their tokens: without, the hub hears of no work in them, and stops them as unused.
    """
    db = object_session(user)
    kept = _tokens_of_servers(user) if servers_stay else []
    user.cookie_id = new_token()
    for each in (*user.api_tokens, *user.oauth_codes):
        if each not in kept and (session is None or each.session_id != session):
            db.delete(each)
    db.commit()


def _tokens_of_servers(user: Any) -> list[Any]:
    """Return the tokens of running servers. A person can give a token of theirs the same note, not the same time."""
    kept = []
    for started in (each.started for each in user._orm_spawners if each.started):
        before = [each for each in user.api_tokens if _is_servers(each) and each.created <= started]
        kept += sorted(before, key=lambda each: each.created)[-1:]
    return kept


def _is_servers(token: Any) -> bool:
    return token.session_id is None and (token.note or "").startswith(_SERVERS_TOKEN)


async def send_away(user: Any, proxy: Any) -> None:
    """End a person's sessions and tokens, take away the routes to their servers, and stop these.

    A server that is starting is stopped when it has started. Return when they are gone, or after `PATIENCE_SECONDS`.
    """
    user._auth_refreshed = None
    end_sessions(user.orm_user)
    active = [(name, spawner) for name, spawner in user.spawners.items() if spawner.active]
    tasks = {asyncio.create_task(_stop(user, name, spawner, proxy)) for name, spawner in active}
    _ending.update(tasks)
    for task in tasks:
        task.add_done_callback(_ending.discard)
    if tasks:
        await asyncio.wait(tasks, timeout=PATIENCE_SECONDS)


async def _stop(user: Any, name: str, spawner: Any, proxy: Any) -> None:
    while spawner.pending:
        await _settled(spawner)
    if not spawner.ready:
        return
    app_log.warning("stopping the server %r of %s, whose access has ended", name, user.name)
    spawner._stop_pending = True  # before anything else has its turn, as JupyterHub does
    try:
        await proxy.delete_user(user, name)
    except Exception:
        # JupyterHub takes away routes of servers that are not there.
        app_log.exception("could not take away the route to the server %r of %s", name, user.name)
    try:
        await user.stop(name)
    except Exception:
        app_log.exception("could not stop the server %r of %s", name, user.name)
    finally:
        spawner._stop_pending = False


async def _settled(spawner: Any) -> None:
    """Wait for what is under way with a server, or a moment where JupyterHub has nothing to wait for."""
    futures = (getattr(spawner, name, None) for name in ("_spawn_future", "_stop_future"))
    under_way = [each for each in futures if each and not each.done()]
    await (asyncio.wait(under_way) if under_way else asyncio.sleep(_LOOK_AGAIN_SECONDS))
