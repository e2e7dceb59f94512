"""The hub's pages that a site writes itself: templates, whole pages, static files and the logo, in one folder."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, PlainValidator, WithJsonSchema

from programs import hub as hub_program
from programs.hub.site_pages import faults
from stacks.settings.files import KIBIBYTE, Folder, check_folder, read_folder, too_large
from stacks.settings.types import spelled

LARGEST: Final = 768 * KIBIBYTE
"""Three quarters of a ConfigMap, in which henhouse's own templates are, too."""
VariableName = Annotated[
    str,
    spelled(
        r"^[A-Za-z_][A-Za-z0-9_]{0,63}$",
        "the name of a variable: up to 64 letters, digits and _, no digit first, such as contact",
    ),
]
OF_JUPYTERHUB: Final = (
    *("base_url", "expanded_scopes", "henhouse", "login_service", "login_url", "logout_url", "parsed_scopes", "prefix"),
    *("services", "static_url", "user", "version_hash", "xsrf", "xsrf_token"),
)
"""What templates are given by JupyterHub and by henhouse; another value would break every page."""
OF_JINJA: Final = ("self",)
"""What Python itself calls the template that is filled in: with a variable of that name, no page is."""


def _check_variable(name: str) -> str:
    if name in OF_JUPYTERHUB:
        raise ValueError(f"is JupyterHub's own variable, as are {', '.join(OF_JUPYTERHUB)}: choose another name")
    if name in OF_JINJA:
        raise ValueError("is each template's own name for itself, and every page would fail: choose another name")
    return name


TemplateVariable = Annotated[VariableName, AfterValidator(_check_variable)]


@cache
def own_templates() -> Mapping[str, str]:
    """Return henhouse's templates by file name."""
    directory = Path(hub_program.__file__).parent / "pages"
    return {path.name: path.read_text() for path in sorted(directory.glob("*.html"))}


def _check(folder: Folder) -> list[str]:
    sizes = {name: len(content) for name, content in folder.files.items()}
    return [*too_large(sizes, LARGEST, "pages have together"), *faults(folder.files, own_templates())]


PagesFolder = Annotated[
    Folder,
    PlainValidator(read_folder),
    AfterValidator(check_folder(_check)),
    WithJsonSchema({"type": "string"}),
]
"""A folder with what `LAYOUT` of programs/hub/site_pages.py says."""
TemplateVariables = dict[TemplateVariable, Any]
