"""A living site names a new image for everyone, of a registry that wants an account. A part of `make chaos`."""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from components.apps.hub.images import DEFAULT_FILE, STATUS_FILE
from components.apps.hub.site_json import DATABASE_DIRECTORY
from lab.mirror.images import application_images
from tests.acceptance.registry import Guard, own_registry, push
from tests.acceptance.site import Clock, drift, edit, edited, in_the_pod, kubectl, make, on, password
from tests.acceptance.test_image_menu import REPOSITORY, SECOND, USER, WHICH, second_image
from tests.acceptance.test_old_images import MACHINE, images
from tests.acceptance.visitor import Visitor, visitor
from tests.certificates import Authority
from tests.tools import eventually

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("site_is_up")]

NEW: Final = f"{REPOSITORY}:{SECOND}"
OLD: Final = "None"
"""What an image says of the variable that it does not have."""
TRUSTED: Final = "/usr/local/share/ca-certificates/registry.crt"


def test_people_start_with_the_image_before_until_their_machines_have_the_new_one(tmp_path: Path, clock: Clock) -> None:
    guard = Guard(Authority("registry of the site"), "puller", secrets.token_hex(16))
    (first,) = (each for each in application_images() if each.reference.startswith(f"{REPOSITORY}:"))
    with ExitStack() as stack:
        url = stack.enter_context(own_registry(tmp_path / "registry.log", guard))
        person = stack.enter_context(visitor())
        push(f"oci:{second_image(first, tmp_path / 'second')}:{SECOND}", NEW, guard)
        stack.enter_context(trusting(guard.authority))
        stack.enter_context(without_the_new_one())
        assert person.log_in(USER, password())
        person.stop(USER)
        with edited(new_image(url, guard.user, "mistyped")):
            eventually("the registry's refusal", lambda: "authoriz" in problem(), seconds=180)
            assert image_of_a_new_server(person) == OLD
            edit(new_image(url, guard.user, guard.password))
            make("up")
            with clock.timing("the right password → everyone's new image"):
                kubectl(
                    "--namespace", "hub", "rollout", "restart", "deployment/hub"
                )  # at once, as docs/hub-images.md has it
                kubectl("--namespace", "hub", "rollout", "status", "deployment/hub", "--timeout=5m")
                eventually("the new image on the machine", has_the_new_one, seconds=300)
                eventually("servers that start with it", starts_with_the_new_one, seconds=60)
            assert person.runs(USER), "what ran, runs on"
            assert in_the_pod(USER, f"echo ${{{WHICH}:-{OLD}}}").strip() == OLD
            person.stop(USER)
            assert image_of_a_new_server(person) == SECOND
            person.stop(USER)
            assert not any(drift().values())


def new_image(url: str, user: str, its_password: str) -> Mapping[str, Any]:
    """Return the settings of a site with this registry, its account, and the new image for everyone."""
    account = {REPOSITORY.partition("/")[0]: {"username": user, "password": its_password}}
    return {"mirrors": {"registry": url}, "hub": {"server_image": NEW, "imagePullSecrets": account}}


@contextmanager
def trusting(authority: Authority) -> Iterator[None]:
    """Have the machine for people trust an authority; containerd reads these at its start."""
    reread = "update-ca-certificates >/dev/null && systemctl restart containerd.service"
    try:
        on(MACHINE, f"cat >{TRUSTED} <<'END'\n{authority.pem}END\n{reread}")
        yield
    finally:
        on(MACHINE, f"rm --force {TRUSTED}; {reread}")


@contextmanager
def without_the_new_one() -> Iterator[None]:
    """Have the machine without the new image before and after, as on a site that has never had it."""
    remove = f"ctr --namespace k8s.io images rm {NEW}"
    try:
        on(MACHINE, remove)
        yield
    finally:
        on(MACHINE, remove)


def image_of_a_new_server(person: Visitor) -> str:
    """Start a server, and return which of the two images it has."""
    asked = person.start(USER)
    assert asked.status < 400, asked
    assert person.runs(USER), kubectl("--namespace", "users", "get", "events", "--sort-by=.lastTimestamp")
    return in_the_pod(USER, f"echo ${{{WHICH}:-{OLD}}}").strip()


def problem() -> str:
    """Return why the last pull of the new image failed, as the page Images says it; empty where none has."""
    return str(beside_the_database(STATUS_FILE)["nodes"][MACHINE]["problems"].get(NEW, ""))


def has_the_new_one() -> bool:
    """Whether the machine has the new image."""
    return NEW in images()


def starts_with_the_new_one() -> bool:
    """Whether the hub has decided so."""
    return bool(beside_the_database(DEFAULT_FILE)["image"] == NEW)


def beside_the_database(file: str) -> Any:
    """Return what the hub keeps in a file beside its database."""
    path = f"{DATABASE_DIRECTORY}/{file}"
    return json.loads(kubectl("--namespace", "hub", "exec", "deployment/hub", "--", "cat", path))
