"""Run by JupyterHub's own interpreter: runs scripts, each in a new process that has JupyterHub loaded already.

`fork_server.py SOCKET`, the number of a socket that each request comes by: what to run, in JSON, and with it the
script's standard input, output and error, and a socket that is told its exit status. Ends when the other end of the
socket is closed.
"""

import importlib
import json
import os
import runpy
import signal
import socket
import sys
from pathlib import Path

LOADED = ("jupyterhub.app", "kubespawner", "oauthenticator.oauth2")
"""What takes long to load, and loads the same for every script.

NativeAuthenticator is not in it: once loaded, it adds a table to every database that is made.
"""
LARGEST = 1 << 20


def serve(asked: socket.socket) -> None:
    """Take requests until there are no more. Each returns in a new process of its own, once its script has ended."""
    while True:
        message, files, _, _ = socket.recv_fds(asked, LARGEST, 4)
        if not message:
            return
        if os.fork() == 0:
            asked.close()
            if attended(files):
                run(**json.loads(message))
            return
        for file in files:
            os.close(file)


def attended(files: list[int]) -> bool:
    """Return whether this is the process that runs the script, with the first three files as its own; the other one
    waits for it and tells the fourth its exit status."""
    *own, told = files
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    runs = os.fork()
    if runs == 0:
        for standard, file in enumerate(own):
            os.dup2(file, standard)
    for file in own:
        os.close(file)
    if runs:
        _, status = os.waitpid(runs, 0)
        os.write(told, str(os.waitstatus_to_exitcode(status)).encode())
    os.close(told)
    return runs == 0


def run(script: str, arguments: list[str], directory: str, environment: dict[str, str]) -> None:
    """Be an interpreter that was started with this script."""
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [script, *arguments]
    sys.path[0] = str(Path(script).parent)
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    for name in LOADED:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the process that waits for a script is itself not waited for
    serve(socket.socket(fileno=int(sys.argv[1])))
