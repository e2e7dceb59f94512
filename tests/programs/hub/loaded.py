"""Scripts that JupyterHub's interpreter runs, without the two seconds that it takes to load JupyterHub each time."""

import json
import os
import socket
import subprocess
from functools import cache
from pathlib import Path
from typing import IO, Final

from tests.tools import jupyterhub_python

FORK_SERVER: Final = Path(__file__).with_name("fork_server.py")
KUBECONFIG: Final = "kubeconfig"
"""The file in a script's directory that says where its cluster is."""


class Script:
    """A script that runs, with a pipe to its standard input and one from its standard output, both of text."""

    def __init__(self, script: Path, *arguments: str, cwd: Path, errors: str, **environment: str) -> None:
        """Start it in a directory, with more variables than the tests have; what it says on standard error is in the
        file `errors` there."""
        request = {
            "script": str(script),
            "arguments": arguments,
            "directory": str(cwd),
            "environment": os.environ | environment,
        }
        self._status, told = socket.socketpair()
        stdin, to_stdin = os.pipe()
        from_stdout, stdout = os.pipe()
        with told, (cwd / errors).open("w") as stderr:
            files = [stdin, stdout, stderr.fileno(), told.fileno()]
            socket.send_fds(_fork_server(), [json.dumps(request).encode()], files)
        os.close(stdin)
        os.close(stdout)
        self.stdin: IO[str] = os.fdopen(to_stdin, "w")
        self.stdout: IO[str] = os.fdopen(from_stdout)

    def wait(self, seconds: float | None = None) -> int:
        """Return its exit status, a negative one for the signal that ended it. Raise TimeoutError if it runs on."""
        self._status.settimeout(seconds)
        with self._status:
            return int(self._status.recv(16))


@cache
def _fork_server() -> socket.socket:
    """Start the process that starts scripts; it ends with this one. Return the socket that it takes requests by.

    The Kubernetes client keeps what the variable is when it is loaded.
    """
    requests, taken = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with taken:
        command = [str(jupyterhub_python()), str(FORK_SERVER), str(taken.fileno())]
        variables = os.environ | {"KUBECONFIG": KUBECONFIG}
        subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[taken.fileno()], env=variables)
    return requests
