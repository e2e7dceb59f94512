"""Tokens of services: what the settings say, in a real hub that starts again with others."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from components.apps.hub.added import hub_secrets
from tests.programs.hub.asking import SECRETS, configured, in_text, site
from tests.programs.hub.provided import ROUTES
from tests.programs.hub.running import HUB_CA, serving

pytestmark = pytest.mark.programs

FIRST, SECOND, THIRD = (f"{which}-token-of-a-service" for which in ("first", "second", "third"))
METRICS = SECRETS["metrics-token"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    tokens = {"reader": FIRST, "other": SECOND}
    of = site(
        login="dummy",
        services={name: {"apiToken": token} for name, token in tokens.items()},
        loadRoles={"reader": {"scopes": ["list:users"], "services": ["reader"]}},
    )
    configured(tmp_path, of, secrets={**SECRETS, **in_text(hub_secrets(of.hub))})
    (tmp_path / "99-routes.py").write_text(ROUTES)
    return tmp_path


@contextmanager
def hub(directory: Path) -> Iterator[str]:
    with serving(directory / "jupyterhub_config.py") as url:
        yield url


def rotate(directory: Path, **tokens: str) -> None:
    for service, token in tokens.items():
        (directory / f"secrets/service.{service}").write_text(token)


def asked(url: str, directory: Path, token: str, path: str = "/hub/api/users") -> int:
    """Return the status of a question with this token."""
    headers = {"Authorization": f"token {token}"}
    return requests.get(f"{url}{path}", headers=headers, verify=str(directory / HUB_CA), timeout=60).status_code


def test_token_that_was_replaced_is_none(directory: Path) -> None:
    with hub(directory) as url:
        assert asked(url, directory, FIRST) == 200
    rotate(directory, reader=THIRD)
    with hub(directory) as url:
        assert asked(url, directory, FIRST) == 403
        assert asked(url, directory, THIRD) == 200
        assert asked(url, directory, METRICS, "/hub/metrics") == 200, "that of another service is as before"


def test_token_that_another_service_has_now_is_that_services(directory: Path) -> None:
    with hub(directory) as url:
        assert [asked(url, directory, token) for token in (FIRST, SECOND)] == [200, 403]
    rotate(directory, reader=SECOND, other=FIRST)
    with hub(directory) as url:
        assert [asked(url, directory, token) for token in (FIRST, SECOND)] == [403, 200]
