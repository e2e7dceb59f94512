"""The hub's pages as a ConfigMap: henhouse's templates and what the site lays over them."""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from stacks.settings import HubSettings
from stacks.settings.pages import is_template, logo_in, own_templates, pages_in

ANNOUNCEMENTS: Final = "hub-announcements"
"""The name of the ConfigMap, and of nothing else: the hub's pod reads it while it runs."""
ANNOUNCEMENTS_FILE: Final = "announcements.json"
"""Below `PAGES_DIRECTORY`."""
PAGES_DIRECTORY: Final = "/etc/jupyterhub-pages"
"""In the hub's pod: `henhouse` and `site`."""


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


def page_values(settings: HubSettings) -> dict[str, Any]:
    """Return what the fragment 15-pages.py reads; nothing in it is secret."""
    folder = settings.pages
    return {
        "directory": PAGES_DIRECTORY,
        "contact": _link(settings.contact) if settings.contact else None,
        "logo": logo_in(folder) if folder else None,
        "pages": [{"name": name, "title": title} for name, title in (pages_in(folder) if folder else {}).items()],
        "static": any(name.startswith("static/") for name in (folder.files if folder else ())),
        "vars": settings.template_vars,
    }
