"""What becomes of an account, its server and its home when a name of a hub with accounts is changed or used again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from programs.hub.database import connected
from programs.hub.memory import Memory
from tests.programs.hub.accounts import CHOSEN, Hub, administrator, remembered, url_of
from tests.programs.hub.asking import SECRETS, ask, site
from tests.programs.hub.provisioner import Provisioner

pytestmark = pytest.mark.programs


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with Hub(tmp_path_factory.mktemp("hub"), enable_signup=True).running() as running:
        yield running


def known(hub: Hub) -> dict[str, str | None]:
    """Return what the hub has noted of names."""
    file = hub.directory / "names.json"
    given_up = dict.fromkeys(json.loads(file.read_text())) if file.exists() else {}
    return {**given_up, **remembered(hub.directory, "names")}


def test_renamed_person_keeps_the_account_and_gives_up_the_name(hub: Hub) -> None:
    alice = hub.person("alice")
    (hub.directory / "stopped-servers").mkdir()
    note = hub.directory / "stopped-servers/alice"
    note.write_text('{"when": 1, "why": "it was not used"}')
    zoe = administrator(hub)
    renamed = zoe.api("PATCH", "users/alice", name="alicia")
    assert renamed.status_code == 200, renamed.text
    assert alice.is_in()
    assert hub.browser().log_in("alicia", CHOSEN)
    assert hub.browser().log_in("alice", CHOSEN) is None
    zoe.set_password("alicia", CHOSEN)
    assert "alicia" not in known(hub), "who had a name first is told apart from no one"
    assert known(hub)["alice"] is None
    assert not note.exists()
    browser = hub.browser()
    assert browser.log_in("alicia", CHOSEN)
    hub.start_server(browser, "alicia")
    assert hub.servers("alicia")[""]["url"] == "/user/alicia/"
    hub.person("alice", "password-of-another-person")
    assert str(known(hub)["alice"]).startswith("native ")


def test_name_that_cannot_be_given_changes_nothing(hub: Hub) -> None:
    hub.person("bob")
    assert hub.browser().sign_up("asked") == 200
    zoe = administrator(hub)
    for name, why in (
        ("asked", "has asked for one"),
        ("Bob", "cannot be a name"),
        ("b b", "cannot be a name"),
        ("2bob", "cannot be a name"),
        ("zoe", "already exists"),
    ):
        refused = zoe.api("PATCH", "users/bob", name=name)
        assert refused.status_code == 400
        assert why in refused.text
    assert zoe.api("PATCH", "users/bob", name="bert", kind="other").status_code == 400, "upstream's refusal"
    assert "hub.administrators" in zoe.api("PATCH", "users/ada", name="adele").text
    assert hub.browser().log_in("bob", CHOSEN)
    assert "bert" not in known(hub)
    assert "bob" not in known(hub)


def test_person_with_a_server_is_not_renamed(hub: Hub) -> None:
    browser = hub.person("busy")
    hub.start_server(browser, "busy")
    refused = administrator(hub).api("PATCH", "users/busy", name="idle")
    assert refused.status_code == 400
    assert "stop it" in refused.text
    assert hub.runs("busy")


def test_next_person_of_a_name_is_another_account_also_after_a_restart(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    with hub.running():
        hub.person("grace")
        assert known(hub) == {}, "a name that was never given up"
        note = tmp_path / "stopped-servers/grace"
        note.parent.mkdir()
        note.write_text('{"when": 1, "why": "it was not used"}')
        assert administrator(hub).api("DELETE", "users/grace").status_code == 204
        assert known(hub) == {"grace": None}
        assert not note.exists()
        hub.person("grace", "password-of-another-person")
        second = known(hub)["grace"]
        assert second
    with hub.running():
        assert known(hub) == {"grace": second}
        assert administrator(hub).api("DELETE", "users/grace").status_code == 204
        hub.person("grace")
        assert known(hub)["grace"] not in (None, second)


def test_discarded_request_gives_up_no_name(hub: Hub) -> None:
    assert hub.browser().sign_up("passer-by") == 200
    assert administrator(hub).post("/hub/discard/passer-by").status_code == 302
    assert "passer-by" not in known(hub)


def test_administrator_of_the_settings_who_was_deleted_keeps_the_home(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    with hub.running():
        assert administrator(hub).api("DELETE", "users/ada").status_code == 204
        assert known(hub) == {"ada": None}
    with hub.running():
        assert known(hub) == {}


def test_file_server_is_told_whose_home_it_is_where_the_name_was_anothers(
    tmp_path: Path, provisioner: Provisioner
) -> None:
    with connected(url_of(tmp_path)) as connection:
        Memory("names", str(tmp_path), url_of(tmp_path)).keep(connection.cursor(), {"grace": "native 0123"})
    of = site(login={"type": "native"}, administrators=["ada", "zoe"])
    secrets = {**SECRETS, **provisioner.secrets}
    ask(tmp_path, "home", "grace", of=of, provisioner=provisioner.url, secrets=secrets)
    assert set(provisioner.asked) == {'POST /homes/grace {"account": "native 0123"}'}


def test_account_is_made_together_with_what_tells_it_from_the_one_before(tmp_path: Path) -> None:
    hub = Hub(tmp_path, enable_signup=True)
    with hub.running():
        hub.person("grace")
        assert administrator(hub).api("DELETE", "users/grace").status_code == 204
    # As where the hub ends, or the database is away, between two commits.
    fragment = tmp_path / "99-local-servers.py"
    usual = fragment.read_text()
    fragment.write_text(
        f"{usual}\nfrom account_notes import Names\n\n\ndef away(*_):\n    raise OSError\n\n\nNames.take = away\n"
    )
    with hub.running():
        assert hub.browser().sign_up("grace") == 500
    fragment.write_text(usual)
    with hub.running():
        assert hub.browser().sign_up("grace") == 200
        assert str(known(hub)["grace"]).startswith("native ")
        sign = known(hub)["grace"]
        assert hub.browser().sign_up("grace") == 200, "with the words that the name is taken"
        assert hub.browser().sign_up("Grace") == 200
        assert known(hub)["grace"] == sign


def test_account_that_an_older_henhouse_made_meanwhile_does_not_get_the_home_of_the_one_before(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    file = tmp_path / "names.json"
    with hub.running():
        hub.person("grace")
        hub.person("alan")
        assert administrator(hub).api("DELETE", "users/alan").status_code == 204
        hub.person("alan", "password-of-another-person")
    # As the release before notes it, to which the site has gone back: both names have another person.
    file.write_text(json.dumps({"grace": "native 0123", "alan": "native 4567"}))
    for _ in range(2):
        with hub.running():
            assert remembered(tmp_path, "names") == {"grace": "native 0123", "alan": "native 4567"}
    left = json.loads(file.read_text())
    assert not {"native 0123", "native 4567"} & {*left.values()}
    with hub.running():
        assert administrator(hub).api("DELETE", "users/grace").status_code == 204
        hub.person("grace", "password-of-a-third-person")
        third = remembered(tmp_path, "names")["grace"]
    with hub.running():
        assert remembered(tmp_path, "names") == {"grace": third, "alan": "native 4567"}
