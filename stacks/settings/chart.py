"""Settings that Zero to JupyterHub has too, under its names: values.schema.yaml of the chart is the vocabulary.

docs/hub-parity.md says of each of the chart's settings what it is here.
"""

import base64
import binascii
import json
import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    Secret,
    SecretStr,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel

from stacks.settings.amounts import ByteSize
from stacks.settings.files import LONGEST_PART
from stacks.settings.types import GroupName, Model, UserName, spelled


class ChartModel(Model):
    """Settings whose names are the chart's: words run together, as in `mountPath`."""

    model_config = ConfigDict(alias_generator=to_camel)


Argument = Annotated[str, spelled(r"^[^\x00]*$", "text without a null byte, which no program can be given")]
"""A word of a command line."""
EnvName = Annotated[
    str,
    spelled(
        r"^[A-Za-z_][A-Za-z0-9_]{0,127}$",
        "the name of a variable: up to 128 letters, digits and _, no digit first, such as MY_DATA",
    ),
]
"""A name that every shell can refer to."""
FileKey = Annotated[
    str,
    spelled(
        r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$",
        "a name of your choice: up to 63 letters, digits, dots, _ and hyphens, such as my-file",
    ),
]
VolumeName = Annotated[
    str,
    spelled(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", "up to 63 small letters, digits and hyphens, such as shared-data"),
]
"""A label of RFC 1123, which Kubernetes asks of volumes."""
OBJECT_NAME: Final = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
ObjectName = Annotated[
    str,
    spelled(
        f"^{OBJECT_NAME}$",
        "the name of a Kubernetes object: small letters, digits, hyphens and dots, such as course-data",
        max_length=253,
    ),
]
"""The name of a Kubernetes object (RFC 1123)."""


def _check_environment_value(value: SecretStr) -> SecretStr:
    if "\0" in value.get_secret_value():
        raise ValueError("must not hold a null byte: no environment can")
    return value


EnvValue = Annotated[SecretStr, AfterValidator(_check_environment_value)]


FILLED_IN: Final = (
    *("username", "servername", "user_server", "userid", "unescaped_username", "unescaped_servername", "hubnamespace"),
    *("safe_username", "safe_servername", "safe_user_server"),
    *("escaped_username", "escaped_servername", "escaped_user_server", "pod_name", "pvc_name", "namespace"),
)
"""What KubeSpawner fills in where it stands in braces (spawner.py, `_expand_user_properties`)."""
IN_BRACES: Final = re.compile("([{](?:" + "|".join(FILLED_IN) + ")[}])")


def only_known_braces(text: str) -> str:
    """Refuse braces with anything else in them: each start would fail."""
    rest = IN_BRACES.sub("", text)
    if "{" in rest or "}" in rest:
        raise ValueError(f"has braces, and what may stand in them is {', '.join(FILLED_IN)}")
    return text


LONGEST_PATH: Final = 4095
"""Bytes of a path (PATH_MAX of Linux, without the byte that ends it)."""


def _can_be_a_path(path: str) -> str:
    """Refuse what no container starts with: Linux has no such path."""
    if not path.isprintable():
        raise ValueError("must be a path in one line, without signs that cannot be printed")
    if len(path.encode()) > LONGEST_PATH or any(len(part.encode()) > LONGEST_PART for part in path.split("/")):
        raise ValueError(f"must have at most {LONGEST_PATH} bytes, and {LONGEST_PART} between two slashes")
    return path


def _check_path(path: str) -> str:
    only_known_braces(path)
    parts = PurePosixPath(path).parts
    if not path.startswith("/") or not path.isprintable() or ":" in path:
        raise ValueError("must be an absolute path in one line, without a colon, such as /srv/shared")
    if ".." in parts or str(PurePosixPath(path)) != path or path.startswith("//"):
        raise ValueError(
            f"must be written without .., double or final slashes: {PurePosixPath(path.replace('..', ''))}"
        )
    return _can_be_a_path(path)


MountPath = Annotated[str, AfterValidator(_check_path)]
"""An absolute path in a container."""


def _check_sub_path(path: str) -> str:
    if path.startswith("/") or ".." in PurePosixPath(path).parts:
        raise ValueError("must be a path inside the volume, without .. and without a slash at its beginning")
    return only_known_braces(_can_be_a_path(path))


SubPath = Annotated[str, AfterValidator(_check_sub_path)]

SecretTree = Annotated[Secret[dict[str, Any]], WithJsonSchema({"type": "object", "writeOnly": True})]
"""A mapping that may hold a credential."""

OCTAL: Final = "must be permissions in octal, with a leading 0 and without quotes, such as 0644"


def _check_mode(mode: Any) -> int:
    """Refuse what was meant in octal and is not: 444 is 0674, which gives others more than the owner."""
    if not isinstance(mode, int) or isinstance(mode, bool) or not 0 <= mode <= 0o777:
        raise ValueError(OCTAL)
    owner, group, others = mode >> 6, mode >> 3 & 7, mode & 7
    if (group | others) & ~owner:
        raise ValueError(f"{OCTAL}: {mode} is {mode:04o}, which gives others more than the owner")
    return mode


Mode = Annotated[int, BeforeValidator(_check_mode)]

STRUCTURED: Final = (".json", ".yaml", ".yml")
READABLE_BY_ALL: Final = 0o004


class ExtraFileSettings(ChartModel):
    """A file that is put into a container. Give its content in one of three ways."""

    mount_path: MountPath
    """Where the file is: its whole path."""
    data: SecretTree | None = None
    """A mapping, which is written as the path's ending says: .json, .yaml or .yml. A secret."""
    string_data: SecretStr | None = None
    """The content as text. A secret."""
    binary_data: SecretStr | None = None
    """The content in base64. A secret."""
    mode: Mode = 0o644
    """Permissions, in octal with a leading 0 and without quotes; if omitted, 0644. The file belongs to root, and the
    program that reads it does not run as root, so everyone has to be able to read it."""

    @model_validator(mode="after")
    def _is_one_file(self) -> "ExtraFileSettings":
        given = [each for each in (self.data, self.string_data, self.binary_data) if each is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of data, stringData and binaryData")
        if self.data is not None and PurePosixPath(self.mount_path).suffix not in STRUCTURED:
            raise ValueError(
                f"data is for files that end in {', '.join(STRUCTURED)}; write the content of "
                f"{self.mount_path} as stringData"
            )
        if not self.mode & READABLE_BY_ALL:
            raise ValueError(f"mode {self.mode:04o} hides the file from everyone but root, and nothing runs as root")
        if self.binary_data is not None:
            try:
                _decoded(self.binary_data)
            except (binascii.Error, ValueError):
                raise ValueError("binaryData is not base64: write what `base64 FILE` prints") from None
        return self

    @property
    def content(self) -> bytes:
        """The file."""
        if self.binary_data is not None:
            return _decoded(self.binary_data)
        if self.string_data is not None:
            return self.string_data.get_secret_value().encode()
        tree = self.data.get_secret_value() if self.data is not None else {}
        if self.mount_path.endswith(".json"):
            return (json.dumps(tree, indent=2) + "\n").encode()
        return str(yaml.safe_dump(tree, allow_unicode=True)).encode()


def _decoded(text: SecretStr) -> bytes:
    return base64.b64decode("".join(text.get_secret_value().split()), validate=True)


class ClaimSourceSettings(ChartModel):
    """A PersistentVolumeClaim in the pod's namespace."""

    claim_name: ObjectName
    """The claim."""
    read_only: bool = False
    """Whether it is read-only."""


class EmptyDirSourceSettings(ChartModel):
    """A directory that is made with the pod, and goes with it."""

    medium: Literal["Memory"] | None = None
    """`Memory` counts as the container's memory. If omitted, it is on the node's disk."""
    size_limit: ByteSize | None = None
    """The pod is evicted when more is in it. If omitted, the node's own limit holds."""


class ConfigMapSourceSettings(ChartModel):
    """A ConfigMap in the pod's namespace."""

    name: ObjectName
    """The ConfigMap."""
    optional: bool = False
    """Whether the pod starts without it."""


class SecretSourceSettings(ChartModel):
    """A Secret in the pod's namespace."""

    secret_name: ObjectName
    """The Secret."""
    optional: bool = False
    """Whether the pod starts without it."""


class VolumeSettings(ChartModel):
    """A volume, as Kubernetes writes it. Give one of its four sources.

    They are those that the Pod Security Standard `restricted` allows and that need nothing of the node.
    """

    name: VolumeName
    """The name that mounts refer to."""
    persistent_volume_claim: ClaimSourceSettings | None = None
    """A claim that exists in the pod's namespace."""
    empty_dir: EmptyDirSourceSettings | None = None
    """A directory of the pod's own."""
    config_map: ConfigMapSourceSettings | None = None
    """A ConfigMap that exists in the pod's namespace."""
    secret: SecretSourceSettings | None = None
    """A Secret that exists in the pod's namespace."""

    @model_validator(mode="after")
    def _has_one_source(self) -> "VolumeSettings":
        sources = (self.persistent_volume_claim, self.empty_dir, self.config_map, self.secret)
        if sum(source is not None for source in sources) != 1:
            raise ValueError("give exactly one of persistentVolumeClaim, emptyDir, configMap and secret")
        return self

    @property
    def shows(self) -> tuple[str, str] | None:
        """The setting that names an object of the cluster, and the object's name; None for an empty directory."""
        if self.persistent_volume_claim:
            return "persistentVolumeClaim.claimName", self.persistent_volume_claim.claim_name
        if self.secret:
            return "secret.secretName", self.secret.secret_name
        return ("configMap.name", self.config_map.name) if self.config_map else None

    @property
    def is_fixed(self) -> bool:
        """Whether it is read-only wherever it is mounted, and has what the object has and nothing else."""
        return self.config_map is not None or self.secret is not None

    def manifest(self) -> dict[str, Any]:
        """Return the volume as Kubernetes has it."""
        made: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return made


class VolumeMountSettings(ChartModel):
    """Where a volume is in the container."""

    name: VolumeName
    """The volume: one of `extraVolumes`."""
    mount_path: MountPath
    """The directory at which it is mounted."""
    sub_path: SubPath | None = None
    """A directory in the volume, if not the whole of it. For user servers, KubeSpawner fills in `{username}`."""
    read_only: bool = False
    """Whether it is read-only."""

    def manifest(self) -> dict[str, Any]:
        """Return the mount as Kubernetes has it."""
        made: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return made


class SingleuserStorageSettings(ChartModel):
    """Volumes of user servers beside the home."""

    extra_volumes: tuple[VolumeSettings, ...] = ()
    """Volumes that every user server has."""
    extra_volume_mounts: tuple[VolumeMountSettings, ...] = ()
    """Where they are mounted. Nothing can be mounted inside a home: only its owner may enter it, not the node."""


LONGEST_TEXT: Final = 1023
"""Characters that JupyterHub's tables have for an address, and for what a role is for (jupyterhub/orm.py). PostgreSQL
refuses more, and the hub does not start; SQLite takes any length. A client's id has 255."""

ServiceName = Annotated[
    str,
    spelled(r"^[a-z][a-z0-9-]{0,61}$", "up to 62 small letters, digits and hyphens, a letter first, such as announcer"),
]
RoleName = Annotated[
    str,
    spelled(
        r"^[a-z][a-z0-9-_~.]{1,253}[a-z0-9]$",
        "at least 3 small letters, digits, hyphens, dots, _ and ~, a letter first, such as course-staff",
    ),
]
"""What JupyterHub accepts (jupyterhub/roles.py)."""


def _check_token(token: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]+", token.get_secret_value()):
        raise ValueError(
            "must be one word of letters, digits and signs, as `openssl rand -hex 32` prints: it is in a header"
        )
    return token


class ServiceSettings(Model):
    """A service of JupyterHub's: a program that uses the hub's API. What it may do is in a role, `loadRoles`."""

    command: tuple[Argument, ...] | None = Field(default=None, min_length=1)
    """Program and arguments, none of them a secret: lists of processes show them. The hub runs it beside itself, gives
    it a token, and starts it again when it ends. If omitted, the service runs elsewhere, and `apiToken` is required."""
    api_token: Annotated[SecretStr, AfterValidator(_check_token)] | None = Field(
        default=None, alias="apiToken", min_length=8
    )
    """What the service shows to the hub. A secret. If omitted, the hub makes one for the program that it runs."""
    display: bool = False
    """JupyterHub's; it changes nothing here. The hub's menu has services that the hub passes requests to (`url` in
    JupyterHub), and none of these is one."""
    oauth_client_id: (
        Annotated[
            str,
            spelled(
                r"^service-[A-Za-z0-9._-]{1,247}$",
                "service- and up to 247 letters, digits, dots, _ and hyphens, such as service-announcer",
            ),
        ]
        | None
    ) = None
    """The name under which the service sends people to log in at the hub. If omitted, service-<name>."""
    oauth_redirect_uri: (
        Annotated[
            str,
            spelled(
                r"^(https?://[A-Za-z0-9\[][!-\"$-~]*|/[!-\"$-~]+)$",
                f"up to {LONGEST_TEXT} characters in ASCII without #, an address such as "
                "https://x.example.org/oauth_callback or a path",
                max_length=LONGEST_TEXT,
            ),
        ]
        | None
    ) = None
    """Where the hub sends people back to. With it, people can log in at the service with the hub's accounts."""
    oauth_no_confirm: bool = False
    """Whether people skip the question if the service may know who they are: for a service that the site runs."""

    @model_validator(mode="after")
    def _is_known(self) -> "ServiceSettings":
        if self.command is None and self.api_token is None:
            raise ValueError("needs an apiToken, or a command: a service elsewhere cannot learn the hub's token")
        return self


class RoleSettings(Model):
    """A role of JupyterHub's: who may do what."""

    description: Annotated[
        str, spelled(rf"^[^\x00]{{0,{LONGEST_TEXT}}}$", f"text of up to {LONGEST_TEXT} characters, without a null byte")
    ] = ""
    """What it is for."""
    scopes: tuple[str, ...] | None = None
    """What it allows, in JupyterHub's words, such as `list:users` or `read:users!group=staff`. A new role
    needs them."""
    users: tuple[UserName, ...] | None = None
    """Who has it, by name; whoever is not named loses it at the hub's next start. If omitted, all do; the role `user`
    alone is kept by those who have it."""
    groups: tuple[GroupName, ...] | None = None
    """Groups of the hub's whose members have it. If omitted, it is taken from every group."""
    services: tuple[ServiceName, ...] | None = None
    """Services that have it, by name. If omitted, it is taken from every service."""

    def manifest(self, name: str) -> dict[str, Any]:
        """Return the role as JupyterHub has it: for the role `user`, no `users` are not the same as an empty list."""
        given: dict[str, Any] = self.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        return {"name": name, **given}
