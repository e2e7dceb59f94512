"""KubeSpawner for people who stay for weeks: across restarts of the hub, absences of the API server, changed offers."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import jupyterhub
from jupyterhub import orm
from kubespawner import KubeSpawner
from sqlalchemy import event
from tornado.web import HTTPError
from traitlets import Dict

NOT_UNDERSTOOD = (ValueError, KeyError, TypeError)
"""What KubeSpawner raises for a profile, or a choice of one, that there is not."""
LONGEST = 10_000
"""Characters of options in JSON."""
DEEPEST = 5
"""Mappings and lists in one another."""
RESERVED = "__jupyterhub_"
"""How keys begin that JupyterHub's database gives a meaning of its own (orm.JSONDict)."""


def plain(options: Any) -> dict[str, Any]:
    """Return options if they are a small mapping of what every program can read in JSON, and else none.

    JupyterHub stores the body of a start by the API before it looks at it (User.spawn), and shows it in its lists of
    people. A body such as `[1]` would keep it from ever starting again, one with NaN would empty the page Admin.
    """
    try:
        fits = isinstance(options, dict) and _is_plain(options) and len(json.dumps(options)) <= LONGEST
    except ValueError:  # an integer of thousands of digits
        fits = False
    return options if fits else {}


def _is_plain(value: Any, depth: int = 0) -> bool:
    if isinstance(value, dict):
        texts = all(isinstance(key, str) and not key.startswith(RESERVED) for key in value)
        return texts and depth < DEEPEST and all(_is_plain(each, depth + 1) for each in value.values())
    if isinstance(value, list):
        return depth < DEEPEST and all(_is_plain(each, depth + 1) for each in value)
    return value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


@event.listens_for(orm.Spawner.user_options, "set", retval=True)  # type: ignore[untyped-decorator, unused-ignore]
def _stored(_target: Any, value: Any, *_: Any) -> Any:
    return None if value is None else plain(value)


class Options(Dict):
    """Options of a server, as `plain` has them."""

    def validate(self, obj: Any, value: Any) -> Any:
        """Return the options."""
        return super().validate(obj, plain(value))


class SteadySpawner(KubeSpawner):
    """KubeSpawner whose servers and people outlast what happens around them."""

    user_options: Any = Options()
    remarks: Sequence[str] = ()
    """What the person who starts a server reads first, such as a choice that is not offered any more."""
    chosen_by_link = False
    """Whether the request that starts the server is a link whose choice was understood."""

    async def _start_reflector(self, kind: str, *arguments: Any, replace: bool = False, **options: Any) -> Any:
        """Watch the pods again after the API server was away.

        The watch ends when it cannot begin, and when it fails for a minute (kubespawner/reflector.py). Every server
        that is then started is given up as one that never came.
        """
        watch = self.reflectors.get(self._get_reflector_key(kind))
        if watch and watch.first_load_future.done():
            replace = replace or watch.watch_task is None or watch.watch_task.done()
        return await super()._start_reflector(kind, *arguments, replace=replace, **options)

    @property
    def _jupyterhub_version(self) -> str:
        """The version of JupyterHub that the server is taken to have, which is the hub's.

        With another, such as an image's of last year, a request whose route the proxy lost ends in an error after two
        redirections, whatever `user_redirect_limit` says (UserUrlHandler._redirect_to_user_server).
        """
        return str(jupyterhub.__version__)

    @_jupyterhub_version.setter
    def _jupyterhub_version(self, version: str) -> None:
        """Ignore what the server says at its start; JupyterHub has written it to its log before."""

    async def load_user_options(self) -> None:
        """Apply the options of this start, or refuse them.

        A menu of the site's (35-menu.py) has judged them before. What fails here is of a site whose own fragment sets
        `profile_list`, or a choice on a site that offers none.
        """
        try:
            await super().load_user_options()
        except NOT_UNDERSTOOD as reason:
            if not self.user_options:
                raise  # the fault is the site's own
            self.log.warning("the options of %s are not offered: %a", self._log_name, str(reason), exc_info=True)
            keep_choice(self, None)
            raise refused("This hub does not offer what was chosen. Please start the server again.") from reason


def drop_profile(spawner: KubeSpawner, options: Mapping[str, Any]) -> None:
    """See to it that a site which offers no profiles (any more) starts a server for whoever chose one on an earlier
    day."""
    if "profile" not in options or spawner.profile_list or chooses_now(spawner):
        return
    keep_choice(spawner, {key: value for key, value in options.items() if key != "profile"})
    spawner.remarks = ("What you chose for your last server is not offered any more. This one has the defaults.",)


def chooses_now(spawner: KubeSpawner) -> bool:
    """Return whether the request that starts this server chooses options; JupyterHub takes those of the last start
    otherwise (User.spawn)."""
    if spawner.handler is None:
        return False
    request = spawner.handler.request
    if request.method == "GET":
        return getattr(spawner, "chosen_by_link", False)  # a site's fragment may have a spawner of its own
    return request.body.strip() not in (b"", b"null")


def keep_choice(spawner: KubeSpawner, options: Mapping[str, Any] | None) -> None:
    """Let the next start begin with these options. JupyterHub keeps those of this one before it knows what becomes of
    them."""
    spawner.orm_spawner.user_options = options
    spawner.user_options = dict(options or {})
    spawner.user.db.commit()


def refused(reason: str) -> HTTPError:
    """Return the error that the person sees, above the form where there is one."""
    error = HTTPError(400, "%s", reason)
    error.jupyterhub_message = reason
    return error
