"""Where the hub is, and how to log in for the first time."""

import json
import subprocess
import sys

from rich.console import Console


def run(stack: str | None) -> int:
    """Prints it from the stack's outputs; 1, with the engine's own words, when there are none yet."""
    command = ["pulumi", "stack", "output", "--json", "--show-secrets", *(["--stack", stack] if stack else [])]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    outputs = json.loads(answer.stdout) if answer.returncode == 0 else {}
    if "hub_url" not in outputs:
        print(answer.stderr.strip() or "This stack has no hub yet: pulumi up", file=sys.stderr)
        return 1
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"The hub is at {outputs['hub_url']}")
    console.print(f"To log in: {outputs['login']}", markup=False)
    return 0
