"""Images that are on nodes before people ask for them."""

from pydantic import Field

from stacks.settings.chart import ChartModel, FileKey
from stacks.settings.menu import Repository, Tag


class ContinuousSettings(ChartModel):
    """Pulling at all times: whatever a node lacks, it pulls."""

    enabled: bool = True
    """Whether images are pulled before people ask for them."""


class ExtraImageSettings(ChartModel):
    """A further image."""

    name: Repository
    """Registry and path, such as `quay.io/jupyter/scipy-notebook`."""
    tag: Tag
    """The tag."""

    @property
    def image(self) -> str:
        """The whole name."""
        return f"{self.name}:{self.tag}"


class PrePullerSettings(ChartModel):
    """Images that are on nodes before people ask for them, as in Zero to JupyterHub's `prePuller`."""

    continuous: ContinuousSettings = ContinuousSettings()
    """Pulling at all times, one image after another on each node."""
    pull_profile_list_images: bool = True
    """Whether the images of `hub.profile_list` are among them."""
    extra_images: dict[FileKey, ExtraImageSettings] = Field(default={})
    """Further images, by a name of your choice."""
