"""Commands over SSH, with the connection that the configuration describes."""

import pulumi
from pulumi_command import remote

config = pulumi.Config()
connection = remote.ConnectionArgs(
    host="127.0.0.1",
    port=config.require_int("port"),
    user="root",
    host_key=config.require("host_key"),
    private_key=config.get_secret("private_key"),
    dial_error_limit=config.get_int("dials") or 1,
    per_dial_timeout=10,
)
text = config.get("text") or "one"
command = remote.Command(
    "command",
    connection=connection,
    create=f"install -m 0600 /dev/stdin /tmp/secret && echo made {text} && echo aside >&2",
    update=f"cat > /tmp/secret; echo updated to {text}",
    delete="rm /tmp/secret",
    stdin=config.require_secret("token"),
    add_previous_output_in_env=False,
)
for index in range(config.get_int("many") or 0):
    remote.Command(
        f"many-{index}",
        connection=connection,
        create=f"echo {index} {text}",
        logging=remote.Logging.NONE,
        add_previous_output_in_env=False,
    )
if config.get_bool("failing"):
    remote.Command(
        "failing",
        connection=connection,
        create="echo about to fail; echo because >&2; exit 3",
        add_previous_output_in_env=False,
        opts=pulumi.ResourceOptions(depends_on=[command]),
    )
if config.get_bool("slow"):
    remote.Command(
        "slow",
        connection=connection,
        create="mkfifo /tmp/go && echo $$ > /tmp/started && read -r word < /tmp/go && rm /tmp/go && echo $word",
        add_previous_output_in_env=False,
    )

pulumi.export("stdout", command.stdout)
pulumi.export("stderr", command.stderr)
