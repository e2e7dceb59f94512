"""Commands on this machine that leave a trace, in the directory that the configuration names."""

from typing import Any

import pulumi
from pulumi_command import local

config = pulumi.Config()
traces = config.require("traces")
# What the plugin leaves in the environment from the last run is not what these are about.
quiet: Any = {"add_previous_output_in_env": False}

first = local.Command(
    "first",
    create=f"echo create-first >> {traces}/log; echo $TEXT; cat",
    update=f"echo update-first >> {traces}/log; echo $TEXT after $PULUMI_COMMAND_STDOUT",
    delete=f"echo delete-first >> {traces}/log",
    environment={"TEXT": config.get("text") or "one"},
    stdin=config.require_secret("token"),
    logging=local.Logging.NONE,
    triggers=[config.get("trigger") or "a"],
    opts=pulumi.ResourceOptions(delete_before_replace=config.get_bool("delete_first") or False),
)
second = local.Command(
    "second",
    create=first.stdout.apply(lambda text: f"echo second saw {text.splitlines()[0]}"),
    opts=pulumi.ResourceOptions(depends_on=[first]),
    **quiet,
)
local.Command(
    "kept",
    create=f"echo create-kept >> {traces}/log",
    delete=f"echo delete-kept >> {traces}/log",
    opts=pulumi.ResourceOptions(retain_on_delete=True),
    **quiet,
)
local.Command(
    "settled",
    create="true",
    environment={"TEXT": config.get("text") or "one"},
    opts=pulumi.ResourceOptions(
        ignore_changes=["environment"], protect=config.get_bool("protect"), aliases=[pulumi.Alias(name="formerly")]
    ),
    **quiet,
)
if config.get_bool("broken"):
    # Fails until its file is there, as a script does whose machine is not ready.
    local.Command("broken", create=f"cat {traces}/repaired", opts=pulumi.ResourceOptions(depends_on=[first]), **quiet)
if config.get_bool("slow"):
    # After the others, so that an interruption finds them made.
    after = pulumi.ResourceOptions(depends_on=[first])
    local.Command("slow", create=f"echo started > {traces}/started; exec sleep 600", opts=after, **quiet)

pulumi.export("first", first.stdout)
pulumi.export("second", second.stdout)
