"""A small project that the real engine runs, with its state in a directory of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

PROGRAMS: Final = Path(__file__).with_name("programs")
STACK: Final = "lab"
_REPLACING: Final = dict.fromkeys(("create-replacement", "delete-replaced"), "replace")
_SECONDS: Final = 240


class Project:
    """One stack of one program of `programs/`."""

    def __init__(self, program: str, directory: Path, environment: Mapping[str, str]) -> None:
        self.directory = directory
        self.environment = {
            **os.environ,
            "PULUMI_DEBUG_COMMANDS": "true",
            "PULUMI_CONFIG_PASSPHRASE": "not a secret",
            **environment,
        }
        runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
        directory.mkdir()
        (directory / "Pulumi.yaml").write_text(yaml.safe_dump({"name": program, "runtime": runtime}))
        (directory / "__main__.py").write_text((PROGRAMS / f"{program}.py").read_text())
        self.pulumi("stack", "init", STACK)

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of one `pulumi` command on the stack."""
        return ["pulumi", "--non-interactive", "--stack", STACK, *arguments]

    def pulumi(self, *arguments: str, fails: bool = False) -> str:
        """Run the command and return what it prints; `fails` says whether it has to fail."""
        command = ["pulumi", *arguments] if arguments[:2] == ("stack", "init") else self.command(*arguments)
        done = subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert bool(done.returncode) == fails, f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def configure(self, **values: object) -> None:
        """Set configuration of the program's; None takes a key away."""
        for key, value in values.items():
            if value is None:
                self.pulumi("config", "rm", key)
            else:
                self.pulumi("config", "set", key, "--", str(value).lower() if isinstance(value, bool) else str(value))

    def configure_secret(self, key: str, value: str) -> None:
        """Set configuration that the state has to keep encrypted."""
        self.pulumi("config", "set", "--secret", key, "--", value)

    def mark(self, value: str = "true") -> None:
        """Say that the stack is a lab's."""
        self.pulumi("config", "set", "henhouse:lab", value)

    def plan(self) -> dict[str, str]:
        """Return what a preview would do: logical name -> operation, for whatever does not stay the same."""
        answer = subprocess.run(
            self.command("preview", "--json"),
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        steps = json.loads(answer.stdout)["steps"]
        return {name_of(step["urn"]): _REPLACING.get(step["op"], step["op"]) for step in steps if step["op"] != "same"}

    def up(self, fails: bool = False) -> tuple[str, list[tuple[str, str]]]:
        """Bring the stack up: what was printed, and the (operation, name) of each change in the order of beginning."""
        return self._change("up", fails)

    def begin_up(self) -> "subprocess.Popen[str]":
        """Begin to bring the stack up, and return the process; what it prints is piped."""
        return subprocess.Popen(
            self.command("up", "--yes", "--skip-preview"),
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def destroy(self) -> list[tuple[str, str]]:
        """Take it down."""
        return self._change("destroy", fails=False)[1]

    def _change(self, verb: str, fails: bool) -> tuple[str, list[tuple[str, str]]]:
        log = self.directory / "events"
        log.unlink(missing_ok=True)
        printed = self.pulumi(verb, "--yes", "--skip-preview", "--event-log", str(log), fails=fails)
        events = [json.loads(line) for line in log.read_text().splitlines()]
        metadata = [event["resourcePreEvent"]["metadata"] for event in events if "resourcePreEvent" in event]
        return printed, [(each["op"], name_of(each["urn"])) for each in metadata if each["op"] != "same"]

    def state(self, decrypted: bool = False) -> dict[str, Any]:
        """Return the stack's deployment, as exported; its secrets are encrypted unless `decrypted`."""
        shown = ["--show-secrets"] if decrypted else []
        deployment: dict[str, Any] = json.loads(self.pulumi("stack", "export", *shown))["deployment"]
        return deployment

    def resource(self, name: str) -> dict[str, Any]:
        """One resource of the state."""
        found: list[dict[str, Any]] = [each for each in self.state()["resources"] if name_of(each["urn"]) == name]
        assert len(found) == 1, f"{len(found)} resources are called {name}"
        return found[0]

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs, decrypted."""
        found: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json", "--show-secrets"))
        return found


def until(what: str, holds: Callable[[], bool], process: "subprocess.Popen[str] | None" = None) -> None:
    """Return once it holds; fail after a minute, or when `process` ends before."""
    deadline = time.monotonic() + 60
    while not holds():
        assert process is None or process.poll() is None, f"the update ended before {what}"
        assert time.monotonic() < deadline, f"waited a minute for {what}"
        time.sleep(0.05)


def running(*command: str) -> bool:
    """Return whether any process of this computer has this command line (proc(5))."""
    lines = {path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()}
    return "\0".join((*command, "")).encode() in lines


def name_of(urn: str) -> str:
    """Return the logical name in a URN."""
    return urn.split("::")[-1]
