"""What a site adds to the hub and to user servers: environment, files, volumes, services and roles."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    ConfigMapVolumeSourceArgs,
    EmptyDirVolumeSourceArgs,
    EnvVarArgs,
    EnvVarSourceArgs,
    KeyToPathArgs,
    PersistentVolumeClaimVolumeSourceArgs,
    SecretKeySelectorArgs,
    SecretVolumeSourceArgs,
    VolumeArgs,
    VolumeMountArgs,
)

from stacks.settings import HubSettings
from stacks.settings.chart import EnvName, EnvValue, ExtraFileSettings, FileKey, VolumeMountSettings, VolumeSettings

SERVER_SECRET: Final = "server-files"
"""The Secret of user servers, in their namespace."""


def hub_environment(settings: HubSettings, secret: pulumi.Input[str]) -> list[EnvVarArgs]:
    """Return the site's variables of the hub; `secret` names the Secret that holds them."""
    return [
        EnvVarArgs(
            name=name,
            value_from=EnvVarSourceArgs(secret_key_ref=SecretKeySelectorArgs(name=secret, key=f"env.{name}")),
        )
        for name in sorted(settings.extra_env)
    ]


def hub_volumes(settings: HubSettings, secret: pulumi.Input[str]) -> list[VolumeArgs]:
    """Return the site's volumes of the hub's pod."""
    items = [
        KeyToPathArgs(key=f"file.{key}", path=key, mode=file.mode) for key, file in sorted(settings.extra_files.items())
    ]
    files = VolumeArgs(name="files", secret=SecretVolumeSourceArgs(secret_name=secret, items=items))
    return [*([files] if items else []), *map(_volume, settings.extra_volumes)]


def _volume(volume: VolumeSettings) -> VolumeArgs:
    claim, directory, config, secret = (
        volume.persistent_volume_claim,
        volume.empty_dir,
        volume.config_map,
        volume.secret,
    )
    if claim:
        source = PersistentVolumeClaimVolumeSourceArgs(claim_name=claim.claim_name, read_only=claim.read_only)
        return VolumeArgs(name=volume.name, persistent_volume_claim=source)
    if directory:
        of_pod = EmptyDirVolumeSourceArgs(medium=directory.medium, size_limit=directory.size_limit)
        return VolumeArgs(name=volume.name, empty_dir=of_pod)
    if config:
        texts = ConfigMapVolumeSourceArgs(name=config.name, optional=config.optional)
        return VolumeArgs(name=volume.name, config_map=texts)
    assert secret is not None, "the settings ask for one source"
    kept = SecretVolumeSourceArgs(secret_name=secret.secret_name, optional=secret.optional)
    return VolumeArgs(name=volume.name, secret=kept)


def hub_mounts(settings: HubSettings) -> list[VolumeMountArgs]:
    """Return where the site's files and volumes are in the hub's container."""
    files = [
        VolumeMountArgs(name="files", mount_path=file.mount_path, sub_path=key, read_only=True)
        for key, file in sorted(settings.extra_files.items())
    ]
    mounts = [
        VolumeMountArgs(name=each.name, mount_path=each.mount_path, sub_path=each.sub_path, read_only=each.read_only)
        for each in settings.extra_volume_mounts
    ]
    return [*files, *mounts]


def hub_secrets(settings: HubSettings) -> Mapping[str, str]:
    """Return by key, in base64, what the hub's Secret holds of the site's own."""
    tokens = {
        f"service.{name}": service.api_token.get_secret_value().encode()
        for name, service in settings.services.items()
        if service.api_token is not None
    }
    return {**_encoded(tokens), **contents(settings.extra_env, settings.extra_files)}


def server_secrets(settings: HubSettings) -> Mapping[str, str]:
    """Return by key, in base64, what the Secret of user servers holds; empty if there need be none."""
    return contents(settings.singleuser.extra_env, settings.singleuser.extra_files)


def contents(environment: Mapping[EnvName, EnvValue], files: Mapping[FileKey, ExtraFileSettings]) -> Mapping[str, str]:
    """Return variables as env.<name> and files as file.<key>, in base64."""
    variables = {f"env.{name}": value.get_secret_value().encode() for name, value in environment.items()}
    return _encoded({**variables, **{f"file.{key}": file.content for key, file in files.items()}})


def _encoded(values: Mapping[str, bytes]) -> Mapping[str, str]:
    return {key: base64.b64encode(value).decode() for key, value in sorted(values.items())}


def added_values(settings: HubSettings) -> dict[str, Any]:
    """Return what the fragment 70-site.py reads; nothing in it is secret."""
    server = settings.singleuser
    return {
        "secret": SERVER_SECRET,
        "environment": sorted(server.extra_env),
        "files": [
            {"key": key, "path": file.mount_path, "mode": file.mode} for key, file in sorted(server.extra_files.items())
        ],
        "volumes": _manifests(server.storage.extra_volumes),
        "mounts": _manifests(server.storage.extra_volume_mounts),
        "services": [
            {
                "name": name,
                "has_token": service.api_token is not None,
                **service.model_dump(mode="json", exclude={"api_token"}, exclude_none=True),
            }
            for name, service in sorted(settings.services.items())
        ],
        "roles": [role.manifest(name) for name, role in sorted(settings.load_roles.items())],
    }


def _manifests(parts: Sequence[VolumeSettings | VolumeMountSettings]) -> list[dict[str, Any]]:
    return [part.manifest() for part in parts]
