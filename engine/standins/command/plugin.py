"""The plugin's table of types."""

from engine.standins.command.local import LocalCommand, run_locally
from engine.standins.command.remote import CopyToRemote, RemoteCommand
from engine.standins.server import Provider, serve


def main(version: str) -> None:
    """Serve the engine as the official plugin of this version."""
    resources = {
        "command:remote:Command": RemoteCommand(),
        "command:remote:CopyToRemote": CopyToRemote(),
        "command:local:Command": LocalCommand(),
    }
    serve(Provider("command", version, resources, {"command:local:run": run_locally}))
