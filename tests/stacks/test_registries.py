"""What a site may write of accounts with which nodes pull images, and what is refused."""

from pathlib import Path
from typing import Any, Final

import pytest

from stacks.load import parse_settings
from stacks.problems import SettingsError, is_secret, secret_settings
from stacks.settings import Site
from tests.stacks.sites import changed, tree

OPEN: Final = {"mirrors": {"registry": None}}
ACCOUNT: Final = {"username": "grace", "password": "T0P-S3CRET"}
MENU: Final = {"repository": "quay.io/team/lab", "user": "grace", "password": "T0P-S3CRET"}
COURSE: Final = {"extraImages": {"course": {"name": "registry.example.org:5000/course", "tag": "2026"}}}
PROFILE: Final = {"display_name": "R", "kubespawner_override": {"image": "ghcr.io/team/r:4.5"}}
THERE: Final = "hub.imagePullSecrets"


def accounts(*hosts: str, **hub: object) -> dict[str, Any]:
    """Return a site that reaches all registries, with an account at each of these."""
    return {**OPEN, "hub": {"imagePullSecrets": dict.fromkeys(hosts, ACCOUNT), **hub}}


def account(**changes: object) -> dict[str, Any]:
    return {**OPEN, "hub": {"imagePullSecrets": {"quay.io": {**ACCOUNT, **changes}}}}


def without(name: str) -> dict[str, Any]:
    kept = {key: value for key, value in ACCOUNT.items() if key != name}
    return {**OPEN, "hub": {"imagePullSecrets": {"quay.io": kept}}}


REJECTED: Final[list[tuple[str, dict[str, Any], str]]] = [
    ("a user without a password", without("password"), f"{THERE}.quay.io.password: is required"),
    ("a password without a user", without("username"), f"{THERE}.quay.io.username: is required"),
    ("a user with a colon", account(username="gra:ce"), "accepted: a registry's user, without a colon"),
    ("a password of nothing", account(password=""), f"{THERE}.quay.io.password: must be a password or a token"),
    ("a password with the end of its line", account(password="T0P-S3CRET\n"), "without a blank or a line break around"),
    ("the chart's mail address", account(email="g@example.org"), "accepted: password, username"),
    (
        "the chart's names of Secrets",
        {"hub": {"imagePullSecrets": ["regcred"]}},
        f"{THERE}: must have an account by the host of each registry, such as ghcr.io",
    ),
    ("a password in place of an account", {"hub": {"imagePullSecrets": {"quay.io": "T0P-S3CRET"}}}, f"{THERE}.quay.io"),
    *(
        (f"Docker Hub as {host}", accounts(host, server_image="docker.io/team/lab:1"), "must be docker.io, as in the")
        for host in ("https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io", "https://hub.docker.com")
    ),
    ("an address", accounts("https://quay.io"), "must be the host alone, as in the names of its images: quay.io"),
    ("an address with a password", accounts("https://grace:T0P-S3CRET@quay.io"), "the names of its images: quay.io"),
    ("a host with a password", accounts("grace:T0P-S3CRET@quay.io"), f"{THERE}.grace:***@quay.io: must be the host"),
    ("a registry's path", accounts("quay.io/team"), "must be the host alone, as in the names of its images: quay.io"),
    ("all hosts of a domain", accounts("*.example.org"), "accepted: the host of a registry, with its port"),
    (
        "a misspelt host",
        accounts("qauy.io"),
        f"{THERE}.qauy.io: no image of the hub's pods or of user servers is from qauy.io\n"
        "    accepted: quay.io, or qauy.io as the host of an image",
    ),
    ("a host in capitals", accounts("Quay.io"), "no image of the hub's pods or of user servers is from Quay.io"),
    (
        "a host without its port",
        accounts("registry.example.org", prePuller=COURSE),
        "accepted: quay.io, registry.example.org:5000, or registry.example.org as",
    ),
    (
        "the mirror's own host",
        changed(accounts("r.example.org"), {"mirrors": {"registry": "https://r.example.org"}}),
        "is from r.example.org: nodes look an account up by the host in an image's name, whatever stands in for it",
    ),
    (
        "two accounts of the menu's registry",
        changed(account(username="ada"), {"hub": {"image_menu": MENU}}),
        f"{THERE}.quay.io: is another account than hub.image_menu.user's",
    ),
    (
        "two passwords of the menu's registry",
        changed(account(password="other T0P-S3CRET"), {"hub": {"image_menu": MENU}}),
        f"{THERE}.quay.io: is another account than hub.image_menu.user's",
    ),
    (
        "a password in plain",
        {"hub": {"imagePullSecrets": {"quay.io": ACCOUNT}}},
        f"{THERE}.quay.io.password: would go in plain to http://198.18.0.1:5000, which stands in for quay.io",
    ),
]
ACCEPTED: Final[list[dict[str, Any]]] = [
    accounts(),
    accounts("quay.io"),
    accounts("ghcr.io", "registry.example.org:5000", profile_list=[PROFILE], prePuller=COURSE),
    accounts("docker.io", server_image="docker.io/team/lab:1"),
    accounts("docker.io", server_image="index.docker.io/team/lab:1"),
    accounts("ghcr.io", image="ghcr.io/team/hub:1"),
    accounts("ghcr.io", proxy_image="ghcr.io/team/proxy:1"),
    accounts("192.0.2.7:5000", server_image="192.0.2.7:5000/lab:1"),
    # Images that people choose without their being pulled before.
    accounts("ghcr.io", profile_list=[PROFILE], prePuller={"pullProfileListImages": False}),
    # The menu lists tags without an account, and nodes pull with one.
    accounts("quay.io", image_menu={"repository": "quay.io/team/lab"}),
    accounts("quay.io", image_menu=MENU),
    # Another registry's, beside the menu's.
    accounts("ghcr.io", image_menu=MENU, server_image="ghcr.io/team/lab:1"),
    # Some registries take the file of a key.
    account(username="_json_key", password='{\n  "type": "service_account"\n}'),
    changed(accounts("quay.io"), {"mirrors": {"registry": "https://r.example.org"}}),
    changed(
        accounts("r.example.org", server_image="r.example.org/quay.io/team/lab:1"),
        {"mirrors": {"registry": "https://r.example.org"}},
    ),
]


def site(changes: dict[str, Any], directory: Path = Path()) -> Site:
    return parse_settings(changed(tree("dev"), changes), directory)


@pytest.mark.parametrize(("changes", "message"), [row[1:] for row in REJECTED], ids=[row[0] for row in REJECTED])
def test_mistake_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        site(changes)
    assert message in str(refused.value)
    assert "T0P-S3CRET" not in str(refused.value)


@pytest.mark.parametrize("changes", ACCEPTED, ids=range(len(ACCEPTED)))
def test_what_a_site_may_write_is_accepted(changes: dict[str, Any]) -> None:
    site(changes)


def test_host_that_a_fragment_names_is_accepted(tmp_path: Path) -> None:
    """A fragment may give servers an image that no setting names."""
    (tmp_path / "fragments").mkdir()
    text = 'from henhouse_hub import c\n\nc.KubeSpawner.image = "ghcr.io/team/lab:1"\n'
    (tmp_path / "fragments" / "36-image.py").write_text(text)
    site(accounts("ghcr.io", fragments="fragments"), tmp_path)
    with pytest.raises(SettingsError, match=r"is from gcr\.example"):
        site(accounts("gcr.example", fragments="fragments"), tmp_path)


def test_passwords_are_secrets() -> None:
    assert f"{THERE}.<name>.password" in secret_settings()
    assert is_secret(("hub", "imagePullSecrets", "registry.example.org:5000", "password"))
    assert "T0P-S3CRET" not in repr(site(accounts("quay.io")))


def test_accounts_of_the_menu_and_of_the_settings_are_one_list() -> None:
    changes = accounts("ghcr.io", image_menu=MENU, server_image="ghcr.io/team/lab:1")
    found = site(changes).hub.pull_accounts
    assert {host: each.username for host, each in found.items()} == {"quay.io": "grace", "ghcr.io": "grace"}
    assert not site({**OPEN, "hub": {"image_menu": {"repository": "quay.io/team/lab"}}}).hub.pull_accounts
