"""A role of a machine behind a jump, by a login that uses sudo."""

import os

import pulumi
from pydantic import SecretStr

from components.contracts.machines import SshTarget
from converge import host_state
from converge.host_state import HostState
from converge.items import File
from converge.role import Fact, Role

if os.environ.get("ONCE"):
    host_state.DIAL_ATTEMPTS = 0  # type: ignore[misc]

config = pulumi.Config()
PRIVATE_KEY = SecretStr(key) if (key := config.get("private_key")) else None
jump = SshTarget("jump", "127.0.0.1", config.require("jump_key"), "root", config.require_int("jump_port"), PRIVATE_KEY)
target = SshTarget(
    "chick0", "198.18.31.10", config.require("host_key"), "ada", config.require_int("port"), PRIVATE_KEY, jump
)
role = Role("secret", (File("/srv/secret", secret="token", mode="0600"),), facts=(Fact("who", "id --user --name"),))
state = HostState(target, role, secrets={"token": config.require_secret("token")})
pulumi.export("facts", state.facts)
