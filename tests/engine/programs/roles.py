"""Roles of three machines, all of them one server: as described, showing another key, and unable to do its role."""

import pulumi
from pydantic import SecretStr

from components.contracts.machines import SshTarget
from converge.findings import probe_if_requested
from converge.host_state import HostState
from converge.items import File, Script
from converge.role import Role

config = pulumi.Config()
PORT = config.require_int("port")
PRIVATE_KEY = SecretStr(config.require("private_key"))
KEYS = {
    "good": config.require("host_key"),
    "stranger": config.require("other_host_key"),
    "broken": config.require("host_key"),
}
findings = probe_if_requested()
for name, host_key in KEYS.items():
    if config.get_bool("only_good") and name != "good":
        continue
    target = SshTarget(name, "127.0.0.1", host_key, port=PORT, private_key=PRIVATE_KEY)
    done = "false" if name == "broken" else f"test -e /tmp/{name}-done"
    apply = "exit 7" if name == "broken" else f"touch /tmp/{name}-done"
    first = HostState(target, Role("first", (Script("what it needs", check=done, apply=apply),)), findings=findings)
    HostState(
        target,
        Role("second", (File(f"/tmp/{name}-second", "done\n"),)),
        findings=findings,
        opts=pulumi.ResourceOptions(depends_on=[first]),
    )
