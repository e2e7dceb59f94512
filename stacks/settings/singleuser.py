"""What every user server has beside its size and its image."""

from pydantic import Field

from stacks.settings.chart import ChartModel, EnvName, EnvValue, ExtraFileSettings, FileKey, SingleuserStorageSettings
from stacks.settings.egress import EgressPolicySettings


class SingleuserSettings(ChartModel):
    """What every user server has beside its size and its image. Servers that run keep what they have."""

    extra_env: dict[EnvName, EnvValue] = Field(default={})
    """Environment variables by name. They are kept in a Secret and reach the server as they are written: nothing is
    filled in for words in braces."""
    extra_files: dict[FileKey, ExtraFileSettings] = Field(default={})
    """Files by a name of your choice. They are kept in a Secret."""
    storage: SingleuserStorageSettings = SingleuserStorageSettings()
    """Volumes beside the home."""
    network_policy: EgressPolicySettings = EgressPolicySettings()
    """What user servers may connect to besides. By default that is the internet, without private networks: name there
    what people need inside the institution, such as a database or a licence server."""
