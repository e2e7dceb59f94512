"""KubeSpawner for people who stay for weeks: across restarts of the hub, absences of the API server, changed offers."""

from collections.abc import Mapping, Sequence
from typing import Any

import jupyterhub
from kubespawner import KubeSpawner
from tornado.web import HTTPError
from traitlets import Dict

NOT_UNDERSTOOD = (ValueError, KeyError, TypeError)
"""What KubeSpawner raises for a profile, or a choice of one, that there is not."""


class Options(Dict):
    """Options of a server; of anything else than a mapping nothing is taken.

    JupyterHub stores the body of a start by the API before it looks at it (User.spawn), and makes the spawners of the
    people in its database when it starts: a body such as `[1]` would keep it from ever starting again.
    """

    def validate(self, obj: Any, value: Any) -> Any:
        """Return the options."""
        return super().validate(obj, value if isinstance(value, dict) else {})


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

        A menu of the site's (35-menu.py) has judged them before. Here are those of sites without one, and of sites
        whose own fragment sets `profile_list`.
        """
        if not self.profile_list and "profile" in self.user_options and not chooses_now(self):
            self.user_options = {key: value for key, value in self.user_options.items() if key != "profile"}
            self.remarks = ("What you chose for your last server is not offered any more. This one has the defaults.",)
            keep_choice(self, self.user_options)
        try:
            await super().load_user_options()
        except NOT_UNDERSTOOD as reason:
            self.log.warning("the options of %s are not offered: %a", self._log_name, str(reason))
            keep_choice(self, None)
            raise refused("This hub does not offer what was chosen. Please start the server again.") from reason


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
    spawner.user.db.commit()


def refused(reason: str) -> HTTPError:
    """Return the error that the person sees, above the form where there is one."""
    error = HTTPError(400, "%s", reason)
    error.jupyterhub_message = reason
    return error
