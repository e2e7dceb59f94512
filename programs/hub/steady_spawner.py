"""KubeSpawner for people who stay for weeks: across restarts of the hub, absences of the API server, changed offers."""

from collections.abc import Sequence
from typing import Any

import jupyterhub
from kubespawner import KubeSpawner
from tornado.web import HTTPError


class SteadySpawner(KubeSpawner):
    """KubeSpawner whose servers and people outlast what happens around them."""

    remarks: Sequence[str] = ()
    """What the person who starts a server reads first, such as a choice that is not offered any more."""

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

        The hub reads it at the start of a server and forgets it when it restarts itself. Where it is another than the
        hub's, or forgotten, a request whose route the proxy lost ends in an error after two redirections, whatever
        `user_redirect_limit` says (UserUrlHandler._redirect_to_user_server).
        """
        return str(jupyterhub.__version__)

    @_jupyterhub_version.setter
    def _jupyterhub_version(self, version: str) -> None:
        """Ignore what the server says at its start; JupyterHub has written it to its log before."""

    async def load_user_options(self) -> None:
        """Apply the options of this start: refuse a choice that is not offered; leave one away that is no longer.

        Only what a menu of the site (35-menu.py) has not judged before gets as far as an error here.
        """
        if chooses_now(self):
            self.remarks = ()
        try:
            await super().load_user_options()
        except ValueError as reason:
            self.log.warning("the options of %s are not offered: %a", self._log_name, str(reason))
            if chooses_now(self):
                forget_choice(self)
                raise refused("This hub does not offer what was chosen. Please start the server again.") from reason
            self.user_options = dict[str, Any]()
            self.remarks = ("What you chose for your last server is not offered any more. This one has the defaults.",)
            await super().load_user_options()


def chooses_now(spawner: KubeSpawner) -> bool:
    """Return whether the request that starts this server chooses options; JupyterHub takes those of the last start
    otherwise (User.spawn)."""
    if spawner.handler is None:
        return False
    request = spawner.handler.request
    return bool(request.body or request.query_arguments.keys() - {"next", "_xsrf"})


def forget_choice(spawner: KubeSpawner) -> None:
    """Let the next start begin without the options of this one, which JupyterHub keeps before it knows what becomes of
    them."""
    spawner.orm_spawner.user_options = None
    spawner.user.db.commit()


def refused(reason: str) -> HTTPError:
    """Return the error that the person sees, above the form where there is one."""
    error = HTTPError(400, "%s", reason)
    error.jupyterhub_message = reason
    return error
