"""The hub's pages: henhouse's templates as a ConfigMap, and what the site lays over them, there or in a repository."""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from programs.hub.site_pages import is_template, logo_in, pages_in
from stacks.settings import HubSettings
from stacks.settings.pages import own_templates
from stacks.settings.pages_repository import AUTHORITY, PASSWORD, PagesRepositorySettings

ANNOUNCEMENTS: Final = "hub-announcements"
"""The name of the ConfigMap, and of nothing else: the hub's pod reads it while it runs."""
ANNOUNCEMENTS_FILE: Final = "announcements.json"
"""Below `PAGES_DIRECTORY`."""
PAGES_DIRECTORY: Final = "/etc/jupyterhub-pages"
"""In the hub's pod: `henhouse` and `site`."""
FETCHED_DIRECTORY: Final = "/etc/jupyterhub-fetched-pages"
"""In the pod of a hub whose pages are in a repository: `site`, and `shown.json` about it."""
COPIES: Final = "fetched-pages"
"""Beside the database: what was fetched, by commit."""


def page_files(settings: HubSettings) -> Mapping[str, bytes]:
    """Return the files below `PAGES_DIRECTORY`, by path."""
    ours = {f"henhouse/{name}": text.encode() for name, text in own_templates().items()}
    site = {f"site/{name}": content for name, content in (settings.pages.files if settings.pages else {}).items()}
    return {**ours, **site}


def announcements_data(settings: HubSettings) -> Mapping[str, str]:
    """Return what the ConfigMap of announcements holds; nothing where there are none."""
    told = [each.model_dump(mode="json") for each in settings.announcements]
    return {ANNOUNCEMENTS_FILE: json.dumps(told, indent=2) + "\n"} if told else {}


def key_of(path: str) -> str:
    """Return the key of a file: no key has a slash, and no file of the folder two dots in a row."""
    return path.replace("/", "..")


def page_texts(settings: HubSettings) -> Mapping[str, str]:
    """Return the templates by key."""
    return {key_of(path): content.decode() for path, content in page_files(settings).items() if _is_text(path)}


def page_bytes(settings: HubSettings) -> Mapping[str, str]:
    """Return everything else by key, in base64."""
    found = {path: content for path, content in page_files(settings).items() if not _is_text(path)}
    return {key_of(path): base64.b64encode(content).decode() for path, content in found.items()}


def _is_text(path: str) -> bool:
    return path.startswith("henhouse/") or is_template(path.removeprefix("site/"))


def _link(contact: str) -> str:
    return contact if contact.startswith("https://") else f"mailto:{contact}"


def page_values(settings: HubSettings, directory: str, secrets: str) -> dict[str, Any]:
    """Return what the fragment 15-pages.py and fetch_pages.py read; nothing in it is secret.

    `directory` is the database's, and `secrets` that of the hub's Secret.
    """
    folder = settings.pages.files if settings.pages else {}
    return {
        "directory": PAGES_DIRECTORY,
        "site": f"{FETCHED_DIRECTORY if settings.pages_repository else PAGES_DIRECTORY}/site",
        "copies": f"{directory}/{COPIES}",
        "repository": _repository_values(settings.pages_repository, secrets) if settings.pages_repository else None,
        # Of a folder. Sites' own fragments may read them.
        "logo": logo_in(folder),
        "pages": [{"name": name, "title": title} for name, title in pages_in(folder).items()],
        "static": any(name.startswith("static/") for name in folder),
        "contact": _link(settings.contact) if settings.contact else None,
        "vars": settings.template_vars,
    }


def _repository_values(repository: PagesRepositorySettings, secrets: str) -> dict[str, str | None]:
    return {
        "url": str(repository.url),
        "commit": repository.commit,
        "folder": repository.folder,
        "user": repository.user,
        "password": f"{secrets}/{PASSWORD}" if repository.password else None,
        "authority": f"{secrets}/{AUTHORITY}" if repository.certificate_authority else None,
    }
