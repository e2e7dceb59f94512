"""What the pages on the hub tell a site to write is accepted as it stands."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

import pytest
import yaml

from stacks.load import parse_settings
from tests.certificates import Authority
from tests.stacks.logins import REGISTERED
from tests.stacks.sites import ROOT, changed, tree

PAGES: Final = sorted([*ROOT.glob("docs/hub*.md"), ROOT / "docs/images.md"])
OPEN: Final = {"mirrors": {"registry": None}}
SHORTENED: Final = {
    "secure: …": "secure: 0123456789abcdef",
    "9b21…": "9b21" * 16,
    "Ov23li…": "Ov23li",
    "client_id/…": "client_id/1",
}
"""What the pages shorten, and what stands there on a site."""
TOP: Final = {"hub-culling.md": ("hub",), "hub-menu.md": ("hub",), "hub.md": ("hub", "login")}
"""Where examples begin that show a part of an earlier one, by page."""


def examples() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each example with its place, as what it says under `henhouse:`."""
    for page in PAGES:
        text = page.read_text()
        for found in re.finditer(r"^ *```yaml\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
            said = dedent(found[1])
            for short, whole in SHORTENED.items():
                said = said.replace(short, whole)
            held = yaml.safe_load(said)
            if isinstance(held, list):
                held = {"profile_list": held}
            if not any(key.startswith("henhouse:") for key in held):
                for part in reversed(TOP[page.name]):
                    held = {part: held}
            yield f"{page.name}:{text[: found.start()].count(chr(10)) + 1}", held


EXAMPLES: Final = dict(examples())


def whole(example: Mapping[str, Any], certificate: str) -> dict[str, Any]:
    """Return the example with the secrets that `pulumi config set` puts beside it, and the rest of its login."""
    said = {key.removeprefix("henhouse:"): value for key, value in example.items()}
    hub = dict(said.get("hub", {}))
    if "login" in hub:
        of_github = {"type": "github", "allowed_organizations": ["my-lab"]} if "type" not in hub["login"] else {}
        hub["login"] = {**of_github, **REGISTERED, **hub["login"]}
    if "db" in hub:
        hub["db"] = {**hub["db"], "password": "T0P-S3CRET", "certificate_authority": certificate}
    for host, account in hub.get("imagePullSecrets", {}).items():
        hub["imagePullSecrets"] = {**hub["imagePullSecrets"], host: {**account, "password": "T0P-S3CRET"}}
    for name, service in hub.get("services", {}).items():
        token = {"apiToken": service["apiToken"]["secure"]}
        hub["services"] = {**hub["services"], name: {**service, **token}}
    return {**OPEN, **said, **({"hub": hub} if hub else {})}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Make the folders that examples name, with the files that the pages show."""
    page = (ROOT / "docs/hub-additions.md").read_text()
    for name, text in re.findall(r"^```python\n# site/fragments/(\S+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        (tmp_path / "site/fragments").mkdir(parents=True, exist_ok=True)
        (tmp_path / "site/fragments" / name).write_text(text)
    (template,) = re.findall(r"^```html\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "site/pages/templates").mkdir(parents=True)
    (tmp_path / "site/pages/templates/login.html").write_text(template)
    return tmp_path


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_example_is_accepted(example: Mapping[str, Any], site: Path) -> None:
    parse_settings(changed(tree("prod"), whole(example, Authority().pem)), site)
