"""Images that are on nodes before people ask for them."""

from typing import Annotated

from pydantic import AfterValidator, Field

from stacks.settings.chart import ChartModel, FileKey
from stacks.settings.image_menu import Tag, check_repository, has_tag


def _check_name(name: str) -> str:
    if "@" in name:
        raise ValueError("must have no tag and no digest: write HOST/PATH as name, and the tag as tag")
    if has_tag(name):
        path, _, tag = name.rpartition(":")
        raise ValueError(f"must have no tag and no digest: write name: {path}, tag: {tag!r}")
    return check_repository(name)


def _check_tag(tag: str) -> str:
    if tag == "latest":
        raise ValueError("must be a tag that stays with one image: nodes pull a name once, and latest is another later")
    return tag


RepositoryName = Annotated[str, Field(max_length=200), AfterValidator(_check_name)]


class ContinuousSettings(ChartModel):
    """Pulling at all times: whatever a node lacks, it pulls."""

    enabled: bool = True
    """Whether images are pulled before people ask for them."""


class HookSettings(ChartModel):
    """What happens when `server_image` changes."""

    enabled: bool = True
    """Whether servers start with the new image only once every machine that they can run on has it, and with the one
    before until then; after an hour it is enough that one machine has it. No `up` waits for that. With an image menu
    this means nothing: the menu says what is on which machine."""


class ExtraImageSettings(ChartModel):
    """A further image."""

    name: RepositoryName
    """Registry and path, such as `quay.io/jupyter/scipy-notebook`."""
    tag: Annotated[Tag, AfterValidator(_check_tag)]
    """The tag."""

    @property
    def image(self) -> str:
        """The whole name."""
        return f"{self.name}:{self.tag}"


class PrePullerSettings(ChartModel):
    """Images that are on nodes before people ask for them, as in Zero to JupyterHub's `prePuller`."""

    continuous: ContinuousSettings = ContinuousSettings()
    """Pulling at all times, one image after another on each node."""
    hook: HookSettings = HookSettings()
    """Pulling a new `server_image` before servers start with it."""
    pull_profile_list_images: bool = True
    """Whether the images of `hub.profile_list` are among them, each on the machines that its profile's `node_selector`
    and `tolerations` leave."""
    extra_images: dict[FileKey, ExtraImageSettings] = Field(default={})
    """Further images, by a name of your choice, for every machine on which a server can run."""
