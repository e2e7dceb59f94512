#!/opt/jupyter/bin/python
"""Runs in an image, as a person's server does: a cell in each kernel, programs, and a server with what it offers.

The only argument is JSON (`images.recipe.Recipe.questions`); what was found is printed as JSON. It imports nothing of
henhouse, which is not in the image. The first thing that does not work ends it.
"""

import asyncio
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager
from tornado.websocket import websocket_connect

START_SECONDS = 120
ANSWER_SECONDS = 180
POLL_SECONDS = 0.1


class Fails(Exception):
    """Something of the image does not work."""


def run_cell(kernel: str, cell: str) -> str:
    """Return what a cell prints in a fresh kernel."""
    manager = KernelManager(kernel_name=kernel)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    said: list[str] = []

    def listen(message: dict[str, Any]) -> None:
        content = message["content"]
        if message["msg_type"] == "stream":
            said.append(content["text"])
        elif message["msg_type"] in ("execute_result", "display_data"):
            said.append(content["data"].get("text/plain", ""))
        elif message["msg_type"] == "error":
            said.append("\n".join(content["traceback"]))

    try:
        client.wait_for_ready(timeout=START_SECONDS)
        client.execute_interactive(cell, timeout=ANSWER_SECONDS, output_hook=listen)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return "".join(said).strip()


def try_kernels(kernels: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return by kernel what its cell printed and in how many seconds, the kernel's start among them."""
    found = {}
    for name, asked in kernels.items():
        began = time.monotonic()
        said = run_cell(name, asked["cell"])
        if said != asked["answer"]:
            raise Fails(f"kernel {name}: the cell printed {said!r}, not {asked['answer']!r}")
        found[name] = {"answer": said, "seconds": round(time.monotonic() - began, 1)}
    return found


def try_command(words: list[str], begins: str) -> str:
    """Return the first line that a program prints."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not done.stdout.startswith(begins):
        raise Fails(f"`{' '.join(words)}` exited {done.returncode}: {(done.stdout + done.stderr).strip()!r}")
    return done.stdout.splitlines()[0] if done.stdout else ""


class Server:
    """A JupyterLab that was started for this."""

    def __init__(self, port: int, token: str) -> None:
        self.address, self.token = f"127.0.0.1:{port}", token

    def ask(self, path: str, *, method: str = "GET") -> bytes:
        """Return the body of an answer."""
        request = urllib.request.Request(
            f"http://{self.address}{path}", headers={"Authorization": f"token {self.token}"}, method=method
        )
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
            body: bytes = answer.read()
            return body

    def answers(self) -> bool:
        """Whether it takes requests yet."""
        try:
            self.ask("/api/status")
        except (urllib.error.URLError, ConnectionError):
            return False
        return True


@contextmanager
def server(log: Path) -> Iterator[Server]:
    """Yield a server that answers; it ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    found = Server(port, secrets.token_hex())
    command = ["jupyter", "lab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, "JUPYTER_TOKEN": found.token}
        )
    try:
        until = time.monotonic() + START_SECONDS
        while not found.answers():
            if process.poll() is not None or time.monotonic() > until:
                raise Fails(f"JupyterLab does not answer: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(POLL_SECONDS)
        yield found
    finally:
        process.terminate()
        process.wait()


async def try_terminal(lab: Server) -> str:
    """Return what a terminal of the server answers to a sum."""
    name = json.loads(lab.ask("/api/terminals", method="POST"))["name"]
    socket_ = await websocket_connect(f"ws://{lab.address}/terminals/websocket/{name}?token={lab.token}")
    await socket_.write_message(json.dumps(["stdin", "echo sum-$((6 * 7))\r"]))
    seen = ""
    while "sum-42" not in seen:
        message = await asyncio.wait_for(socket_.read_message(), ANSWER_SECONDS)
        if message is None:
            raise Fails(f"the terminal was closed: {seen!r}")
        kind, *words = json.loads(message)
        seen += words[0] if kind == "stdout" else ""
    socket_.close()
    return "sum-42"


def try_pull(lab: Server, directory: Path) -> str:
    """Let nbgitpuller bring a repository into the home; return the file's content there."""
    origin = directory / "origin"
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(origin)], check=True)
    (origin / "notes.txt").write_text("from the course\n")
    for words in (["add", "."], ["commit", "--quiet", "--message=notes"]):
        subprocess.run(["git", "-C", str(origin), *who, *words], check=True)
    told = lab.ask(f"/git-pull/api?repo=file://{origin}&branch=main&targetpath=course").decode()
    if not re.search(r'"phase": "finished"', told):
        raise Fails(f"nbgitpuller: {told[-2000:]}")
    return (Path.home() / "course" / "notes.txt").read_text().strip()


def main(asked: dict[str, Any]) -> dict[str, Any]:
    """Try everything, and return what was found."""
    home = Path.home()
    found: dict[str, Any] = {"kernels": try_kernels(asked["kernels"])}
    found["commands"] = {
        " ".join(each["words"]): try_command(each["words"], each["begins"]) for each in asked["commands"]
    }
    with server(home / "server.log") as lab:
        specs = json.loads(lab.ask("/api/kernelspecs"))["kernelspecs"]
        if unknown := set(specs) ^ set(asked["kernels"]):
            raise Fails(f"kernels that are there and not tried, or the other way round: {', '.join(sorted(unknown))}")
        found["server"] = {"terminal": asyncio.run(try_terminal(lab)), "nbgitpuller": try_pull(lab, home)}
    return found


if __name__ == "__main__":
    try:
        print(json.dumps(main(json.loads(sys.argv[1]))))
    except Fails as reason:
        sys.exit(str(reason))
