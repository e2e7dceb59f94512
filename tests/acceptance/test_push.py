"""People of a site push from their notebooks to the institution's own GitHub. A part of `make chaos`.

GitHub is played by tests/programs/hub/provider.py, at an address of the institution's that is not of the site's own
networks, under a certificate of the institution's authority. The image is the one of `images/` that has git.
"""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from images.build import build
from images.recipe import PYTHON
from tests.acceptance.registry import own_registry, push
from tests.acceptance.site import edited, in_the_pod, inside, kubectl, output
from tests.acceptance.test_provider import PORT, campus_listener, comes, login_with, notebook_of
from tests.browser.chromium import open_page
from tests.browser.session import GATEWAY, HUB
from tests.programs.hub.provider import PROVIDER_CA, GitHub, running
from tests.stacks.sites import changed

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("site_is_up")]

PERSON: Final = "hopper"
ACCOUNT: Final = 70
INSTITUTION: Final = "198.19.0.1"
IMAGE: Final = "quay.io/flock/python"
SCOPE: Final = "read:user,user:email,read:org,public_repo"


def test_person_pushes_with_the_token_of_their_login(tmp_path: Path) -> None:
    repository = tmp_path / f"repositories/{PERSON}.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", repository], check=True)
    github = GitHub(
        accounts={PERSON: ACCOUNT},
        organizations={"flock": 1001},
        members={"flock": {PERSON}},
        scope=SCOPE,
        repositories=repository.parent,
    )
    image = build(PYTHON)
    with (
        institution(),
        running(github, tmp_path, campus_listener(INSTITUTION)),
        own_registry(tmp_path / "registry.log") as registry,
    ):
        push(image.source, f"{IMAGE}:{image.tag}")
        with edited(settings(github, tmp_path, registry, f"{IMAGE}:{image.tag}@{image.digest}")), no_server_left():
            works(github, repository, (str(output("ca_certificate")), (tmp_path / PROVIDER_CA).read_text()))


def works(github: GitHub, repository: Path, authorities: tuple[str, str]) -> None:
    """Clone, commit and push in a notebook; look at what GitHub has, and at what the server kept."""
    with open_page(HUB, GATEWAY, *authorities) as page:
        comes(page, github, PERSON)
        notebook = notebook_of(page, PERSON)
        url = f"{github.url}/repositories/{PERSON}.git"
        steps = (
            "cd $(mktemp --directory --tmpdir=$HOME)",
            f"git clone --quiet {url} .",
            "echo kept > kept",
            "git add kept",
            "git commit --quiet --message=work",
            "git push --quiet origin HEAD:main",
            "echo pushed",
        )
        notebook.run(f"!{' && '.join(steps)}")
        notebook.expect_output("pushed")
    log = subprocess.run(
        ["git", "-C", repository, "log", "--format=%an %ae", "main"], capture_output=True, text=True, check=True
    )
    assert log.stdout == f"{PERSON} {PERSON}@example.org\n"
    (token,) = {each for each, whose in github.who.items() if whose == PERSON}
    everywhere = in_the_pod(PERSON, "env; cat /proc/*/environ 2>/dev/null; grep --recursive --text '' ~ /etc/henhouse")
    assert "git-credential" in everywhere
    assert token not in everywhere


@contextmanager
def no_server_left() -> Iterator[None]:
    """End the person's server afterwards: one that runs on would know the authority of this run in the next."""
    try:
        yield
    finally:
        kubectl("--namespace", "users", "delete", "pod", f"jupyter-{PERSON}", "--ignore-not-found")


@contextmanager
def institution() -> Iterator[None]:
    """Have the address on the campus."""
    address = (f"{INSTITUTION}/32", "dev", "sw0")
    inside("ip", "address", "replace", *address)
    try:
        yield
    finally:
        inside("ip", "address", "delete", *address)


def settings(github: GitHub, directory: Path, registry: str, image: str) -> Mapping[str, Any]:
    """Return those of a site whose people log in with it, and whose servers reach it and have git."""
    there = {"to": [{"ipBlock": {"cidr": f"{INSTITUTION}/32"}}], "ports": [{"port": PORT}]}
    hub = {
        "login": {"git_credentials": True, "scope": SCOPE.split(",")},
        "server_image": image,
        "prePuller": {"hook": {"enabled": False}},  # the first server has it
        "singleuser": {"networkPolicy": {"egress": [there]}},
    }
    return changed(login_with(github, directory, INSTITUTION), {"mirrors": {"registry": registry}, "hub": hub})
