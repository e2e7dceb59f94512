"""What people may choose before their server starts."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, model_validator

from stacks.settings.amounts import Amount, ByteSize, Cores, bytes_of
from stacks.settings.chart import OBJECT_NAME, ObjectName
from stacks.settings.types import GroupName, ImageName, Line, Model, spelled

OfferName = Annotated[
    str,
    spelled(r"^[a-z][a-z0-9-]{0,30}$", "up to 31 small letters, digits and hyphens, a letter first, such as gpu-large"),
]


def _check_toleration(value: Any) -> dict[str, str | int]:
    if not isinstance(value, Mapping) or not value or set(value) - set(TOLERATION):
        raise ValueError(f"must have some of {', '.join(TOLERATION)}, such as {{key: gpu, operator: Exists}}")
    if any(not isinstance(each, TOLERATION[name]) or isinstance(each, bool) for name, each in value.items()):
        raise ValueError("must have text behind each name, and a whole number behind tolerationSeconds")
    operator, effect = value.get("operator") or "Equal", value.get("effect") or ""
    if operator not in OPERATORS or effect not in ("", *EFFECTS):
        raise ValueError(f"must have {' or '.join(OPERATORS)} as operator, and as effect {', '.join(EFFECTS)}")
    if operator == "Exists" and value.get("value"):
        raise ValueError("must have no value beside the operator Exists, which is for any value of the taint")
    if operator == "Equal" and not value.get("key"):
        raise ValueError("must have a key: only the operator Exists may do without, and then bears every taint")
    for part, form in (("key", LABEL_NAME), ("value", LABEL_VALUE)):
        if value.get(part) and not re.fullmatch(form, value[part]):
            raise ValueError(f"has the {part} {value[part]!r}, which no taint can have: write it as the taint has it")
    if abs(value.get("tolerationSeconds", 0)) >= 2**63:
        raise ValueError("must have tolerationSeconds that Kubernetes can count, such as 300")
    if "tolerationSeconds" in value and effect != "NoExecute":
        raise ValueError("must have the effect NoExecute with tolerationSeconds: others stop no running server")
    return dict(value)


TOLERATION: Final[Mapping[str, type]] = {
    "key": str,
    "operator": str,
    "value": str,
    "effect": str,
    "tolerationSeconds": int,
}
"""Kubernetes' (https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/)."""
OPERATORS: Final = ("Equal", "Exists")
EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
Toleration = Annotated[
    dict[str, str | int], PlainValidator(_check_toleration, json_schema_input_type=dict[str, str | int])
]
VariableName = Annotated[
    str,
    spelled(
        r"^[A-Za-z_][A-Za-z0-9_]*$", "the name of a variable: letters, digits and _, no digit first, such as MY_DATA"
    ),
]
LABEL_NAME: Final = rf"^({OBJECT_NAME}/)?[A-Za-z0-9]([A-Za-z0-9._-]{{0,61}}[A-Za-z0-9])?$"
LABEL_VALUE: Final = r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$"
LabelName = Annotated[
    str,
    spelled(
        LABEL_NAME,
        "a name as Kubernetes has it for labels and resources, such as nvidia.com/gpu",
        max_length=253 + 1 + 63,
    ),
]
LabelValue = Annotated[
    str,
    spelled(
        LABEL_VALUE,
        "a label's value: up to 63 letters, digits, hyphens, dots and _, such as a100",
    ),
]

FREE: Final = ("JUPYTERHUB_ACTIVITY_INTERVAL", "JUPYTERHUB_SINGLEUSER_APP", "JUPYTERHUB_SINGLEUSER_EXTENSION")
"""What JupyterHub leaves to the site: how its program in the user server starts, and how often it tells of its use."""
TELLING_SECONDS: Final = 600
"""The most for the first of them: after eleven minutes, the culler takes a server that told nothing for idle
(programs/hub/culling.py, `TELLING`), and JupyterHub varies the time by a tenth."""
_OURS: Final = ("HOME", "USER", "LOGNAME")
_TAKEN: Final = ("JUPYTERHUB_", "JPY_")


def tells_in_time(name: str, value: str) -> bool:
    """Return whether a variable is another one, or a time after which servers can tell the hub of their use."""
    return name != FREE[0] or (re.fullmatch("[0-9]{1,3}", value) is not None and 0 < int(value) <= TELLING_SECONDS)


def _not_ours(environment: dict[str, str]) -> dict[str, str]:
    for name, value in environment.items():
        if "\0" in value:
            raise ValueError(f"must not hold a null byte in {name}: no environment can")
        if "{{" in value:
            raise ValueError(f"must have single braces in {name}: it reaches the server as it is written")
        if name in _OURS or (name.startswith(_TAKEN) and name not in FREE):
            raise ValueError(f"must not set {name}, which is set for every server, by its home or by JupyterHub")
        if not tells_in_time(name, value):
            raise ValueError(f"must have seconds in {name}, a whole number from 1 to {TELLING_SECONDS}")
    return environment


_HUGE_PAGES: Final = re.compile(r"hugepages-[1-9][0-9]*(Ki|Mi|Gi)")
COMMON: Final = ("cpu", "memory", "ephemeral-storage")
"""Resources that every node has; the first two have settings of their own (stacks/checks/needs.py)."""


def _check_resources(amounts: dict[str, int | float | str]) -> dict[str, int | float | str]:
    """Refuse what Kubernetes would at each start: it counts devices, and knows few resources without a domain."""
    for name, amount in amounts.items():
        if "/" in name and not re.fullmatch(r"[0-9]+(\.0+)?([kMGTPE]i?)?|[0-9]+Ki", str(amount)):
            raise ValueError(f"must have a whole number of {name}, and was given {amount}")
        if "/" not in name and name not in COMMON and not _HUGE_PAGES.fullmatch(name):
            raise ValueError(f"has {name}: a device has its maker's domain before it, such as nvidia.com/gpu")
        if name.partition("/")[0].endswith("kubernetes.io") and "/" in name:
            raise ValueError(f"has {name}: that domain is Kubernetes' own, and a device has its maker's")
    return amounts


Resources = Annotated[dict[LabelName, Amount], AfterValidator(_check_resources)]

Environment = Annotated[dict[VariableName, str], AfterValidator(_not_ours)]


class NamedSizeSettings(Model):
    """A size that people may choose. Names and meanings are those of KubeSpawner."""

    name: OfferName
    """What it is called in links and in what is remembered of a person."""
    display_name: Line | None = None
    """What people see. If omitted, the name with a capital."""
    description: Line | None = None
    """What people see below it. If omitted, its limits."""
    cpu_limit: Cores
    """The most cores it may use."""
    cpu_guarantee: Cores | None = None
    """Cores reserved on the node. If omitted, a quarter of the limit."""
    mem_limit: ByteSize
    """The most memory it may use; beyond it the kernel kills the process."""
    mem_guarantee: ByteSize | None = None
    """Memory reserved on the node. If omitted, a quarter of the limit."""
    default: bool = False
    """Whether it is chosen unless a person chooses another. If none is, the first."""
    allowed_groups: tuple[GroupName, ...] = Field(default=(), min_length=1)
    """JupyterHub's groups whose people may choose it. If omitted, everyone may."""

    @property
    def cpu_reserved(self) -> float:
        """Cores reserved."""
        return self.cpu_limit / 4 if self.cpu_guarantee is None else self.cpu_guarantee

    @property
    def mem_reserved(self) -> str:
        """Memory reserved."""
        return self.mem_guarantee or f"{max(1, bytes_of(self.mem_limit) // 4096)}Ki"


DOUBLING: Final[tuple[dict[str, Any], ...]] = (
    {"name": "tiny", "cpu_limit": 0.5, "mem_limit": "1Gi"},
    {"name": "small", "cpu_limit": 1, "mem_limit": "2Gi", "default": True},
    {"name": "medium", "cpu_limit": 2, "mem_limit": "4Gi"},
    {"name": "large", "cpu_limit": 4, "mem_limit": "8Gi"},
)
"""Each twice the one before it, with 2 GiB a core; three of four servers of a node may then be idle."""


def _spelled_out(value: Any) -> Any:
    """Take the word for the sizes that it stands for."""
    return list(DOUBLING) if value == "doubling" else value


Sizes = Annotated[
    tuple[NamedSizeSettings, ...],
    BeforeValidator(_spelled_out, json_schema_input_type=Literal["doubling"] | tuple[NamedSizeSettings, ...]),
]


def _with_the_name_alone(url: str) -> str:
    """Refuse what JupyterHub cannot fill in, which is less than KubeSpawner can elsewhere (Spawner.format_string)."""
    if "{" in (rest := url.replace("{username}", "")) or "}" in rest:
        raise ValueError("has braces, and what may stand in them is username")
    if "$(" in url or "$$" in url:
        raise ValueError("must have %24 for each $: the server is told in a variable, in which Kubernetes reads it")
    return url


class OverrideSettings(Model):
    """What a profile sets for its servers: of KubeSpawner's settings, those that leave a server what henhouse promises
    of it, its home, its user and its bounds. Whatever else a site wants of a server is in no profile."""

    image: ImageName | None = None
    """Its image; the form then offers no choice of image."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """When a node pulls the image (imagePullPolicy)."""
    cpu_guarantee: Cores | None = None
    """Cores reserved on the node. If any of the four is set, the form offers no choice of size."""
    cpu_limit: Cores | None = None
    """The most cores it may use."""
    mem_guarantee: ByteSize | None = None
    """Memory reserved on the node."""
    mem_limit: ByteSize | None = None
    """The most memory it may use."""
    extra_resource_guarantees: Resources | None = None
    """Other resources reserved, such as `nvidia.com/gpu: 1`."""
    extra_resource_limits: Resources | None = None
    """The most of other resources it may use."""
    default_url: (
        Annotated[
            str, spelled(r"^/[^\s]*$", "a path that begins with /, such as /lab"), AfterValidator(_with_the_name_alone)
        ]
        | None
    ) = None
    """The page that opens, such as `/lab` or `/rstudio`."""
    environment: Environment | None = None
    """Further variables, as they are written, but for {username} and what else KubeSpawner fills in; $(NAME) is not
    filled in. They must not be secrets: every program in the server sees them."""
    node_selector: dict[LabelName, LabelValue] | None = None
    """Labels of the nodes that may run it, besides that they are for people."""
    tolerations: tuple[Toleration, ...] | None = None
    """Taints of nodes that it bears."""
    priority_class_name: ObjectName | None = None
    """Its priority."""
    start_timeout: int | None = Field(default=None, ge=30, le=86400)
    """Seconds that it may take to start."""


class ProfileSettings(Model):
    """A kind of server that people may choose, as in Zero to JupyterHub's `singleuser.profileList`."""

    display_name: Line
    """What people see."""
    slug: OfferName = ""
    """What it is called in links and in what is remembered of a person. If omitted, it is made of `display_name`, and
    changes with it."""
    description: Line | None = None
    """What people see below it."""
    default: bool = False
    """Whether it is chosen unless a person chooses another. If none is, the first."""
    kubespawner_override: OverrideSettings = OverrideSettings()
    """What it sets for its servers."""
    allowed_groups: tuple[GroupName, ...] = Field(default=(), min_length=1)
    """JupyterHub's groups whose people may choose it. If omitted, everyone may."""

    @model_validator(mode="before")
    @classmethod
    def _has_a_slug(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or "slug" in given or not isinstance(given.get("display_name"), str):
            return given
        plain = unicodedata.normalize("NFKD", given["display_name"].casefold()).encode("ascii", "ignore").decode()
        slug = re.sub("[^a-z0-9]+", "-", plain).lstrip("-0123456789")[:31].strip("-")
        if not slug:
            raise ValueError("give a slug, such as gpu-large: none can be made of display_name")
        return {**given, "slug": slug}
