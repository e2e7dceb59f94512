"""The hub's configuration, read by the JupyterHub that will read it."""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import yaml

from components.apps.hub.images import DEFAULT_FILE, STATUS_FILE
from components.apps.hub.menu import MENU_FILE
from components.apps.hub.pages import COPIES, FETCHED_DIRECTORY, PAGES_DIRECTORY, page_files
from components.apps.hub.site_json import (
    DATABASE_DIRECTORY,
    SECRETS_DIRECTORY,
    config_files,
    share_values,
    site_json,
)
from components.contracts.storage import SharedVolume
from stacks.load import parse_settings
from stacks.settings import Site
from tests.programs.hub.api_server import TOKEN
from tests.programs.hub.loaded import KUBECONFIG, Script
from tests.stacks.sites import changed, tree

NO_PROVISIONER: Final = "https://127.0.0.1:1"
READER: Final = Path(__file__).with_name("reader.py")
SECRETS: Final = {
    "proxy-token": "01" * 32,
    "cookie-secret": "ab" * 32,
    "crypt-keys": "cd" * 32 + ";" + "ef" * 32,
    "metrics-token": "23" * 32,
    "shared-password": "password-of-this-test",
    "administrators": '{"ada": "first-password-of-ada", "zoe": "first-password-of-zoe"}',
}
Files = Mapping[str, str]


def in_text(secret: Mapping[str, str]) -> Files:
    """Return what a pod finds in a Secret that is in base64."""
    return {key: b64decode(value).decode() for key, value in secret.items()}


def site(*, shares: Mapping[str, Mapping[str, object]] | None = None, **hub: object) -> Site:
    """Return the virtual rack's site with other settings of its hub, and with directories that people share."""
    return parse_settings(changed(tree("dev"), {"hub": hub, "storage": {"shares": shares or {}}}))


def shares_of(of: Site) -> list[dict[str, Any]]:
    """Return what the hub is told of the site's shared directories."""
    return [
        share_values(
            SharedVolume(
                name,
                cast(Any, f"share-{name}"),
                share.path(name),
                share.read_only,
                share.groups,
                share.write_groups,
                share.group(name),
            )
        )
        for name, share in sorted(of.storage.shares.items())
    ]


def kubeconfig(server: str, **more: str) -> str:
    """Return a kubeconfig with the hub's account at an API server; `more` is added to the server's entry."""
    return yaml.safe_dump(
        {
            "current-context": "site",
            "contexts": [{"name": "site", "context": {"cluster": "site", "user": "hub"}}],
            "clusters": [{"name": "site", "cluster": {"server": server, **more}}],
            "users": [{"name": "hub", "user": {"token": TOKEN}}],
        }
    )


def configured(
    directory: Path,
    of: Site,
    provisioner: str = NO_PROVISIONER,
    secrets: Files = SECRETS,
    *,
    patience: int = 1,
) -> Path:
    """Put the files where the pod has them; return the hub's configuration file.

    `patience` is for how many seconds a file server that does not answer is asked again.
    """
    (directory / "secrets").mkdir()
    for name, text in secrets.items():
        (directory / "secrets" / name).write_text(text)
    values = site_json(of, provisioner, hub="hub", users="users", claim="homes", shares=shares_of(of))
    values = values.replace(SECRETS_DIRECTORY, str(directory / "secrets"))
    values = values.replace(f"sqlite:///{DATABASE_DIRECTORY}", f"sqlite:///{directory}")
    values = re.sub('"patience_seconds": [0-9]+', f'"patience_seconds": {patience}', values)
    values = values.replace(f'"directory": "{DATABASE_DIRECTORY}"', f'"directory": "{directory}"')
    values = values.replace(PAGES_DIRECTORY, str(directory / "pages"))
    values = values.replace(FETCHED_DIRECTORY, str(directory / "fetched"))
    (directory / "fetched").mkdir(exist_ok=True)
    for path, content in page_files(of.hub).items():
        (directory / "pages" / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / "pages" / path).write_bytes(content)
    for file in (MENU_FILE, STATUS_FILE, DEFAULT_FILE, COPIES):
        values = values.replace(f"{DATABASE_DIRECTORY}/{file}", f"{directory}/{file}")
    for name, text in {**config_files(of.hub), "site.json": values}.items():
        (directory / name).write_text(text)
    return directory / "jupyterhub_config.py"


def ask(
    directory: Path,
    question: str,
    *arguments: str,
    of: Site,
    provisioner: str = NO_PROVISIONER,
    secrets: Files = SECRETS,
    cluster: str | None = None,
) -> Any:
    """Put the files where the pod has them and ask `reader.py`. `cluster` is a kubeconfig, by default of no server:
    KubeSpawner makes its client before it is asked anything."""
    config = str(configured(directory, of, provisioner, secrets))
    (directory / KUBECONFIG).write_text(cluster or kubeconfig("https://127.0.0.1:1"))
    reader = Script(READER, question, config, *arguments, cwd=directory, errors="errors")
    reader.stdin.close()
    with reader.stdout:
        said = reader.stdout.read()
    assert reader.wait() == 0, (directory / "errors").read_text()
    return json.loads(said.splitlines()[-1])
