"""axe-core looks at a page: what it calls serious or critical is a fault, in the light and in the dark."""

from collections.abc import Mapping
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

FAULTS: Final = ("serious", "critical")
"""Impacts (https://github.com/dequelabs/axe-core/blob/develop/doc/rule-descriptions.md)."""
_AXE: Final = Axe()


def findings(page: Page) -> dict[str, list[str]]:
    """Return what is wrong with the page, with the elements by rule."""
    found: dict[str, list[str]] = {}
    for theme in ("light", "dark"):  # what JupyterHub's darkmode.js sets
        page.evaluate("theme => document.documentElement.setAttribute('data-bs-theme', theme)", theme)
        for each in _AXE.run(page).response["violations"]:
            if each["impact"] in FAULTS:
                found.setdefault(each["id"], []).extend(f"{theme}: {_said(node)}" for node in each["nodes"])
    page.evaluate("document.documentElement.setAttribute('data-bs-theme', 'light')")
    return found


def expect_accessible(page: Page) -> None:
    """Expect no fault, upstream's own pages included: what they lack is mended in `programs/hub/pages`."""
    found = findings(page)
    told = "\n".join(f"{rule}: {said}" for rule, all_said in found.items() for said in all_said)
    assert not found, f"{page.url}\n{told}"


def _said(node: Mapping[str, Any]) -> str:
    reasons = "; ".join(each["message"] for each in (*node["any"], *node["all"], *node["none"]))
    return f"{' '.join(map(str, node['target']))} {node['html']} ({reasons})"
