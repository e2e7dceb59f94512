"""Logging in with providers of OpenID Connect: real OAuthenticator in a real hub, against the protocol over TLS."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.programs.hub.provided import SOON, Hub
from tests.programs.hub.provider import CILOGON_PATHS, GOOGLE_PATHS, OpenId, running
from tests.tools import eventually

pytestmark = pytest.mark.programs


def person(name: str, *groups: str, **more: Any) -> dict[str, Any]:
    return {"sub": f"sub-of-{name}", "preferred_username": name, "groups": list(groups), **more}


def people() -> dict[str, dict[str, Any]]:
    return {
        "ada": person("ada", "staff"),
        "bob": person("bob", "staff"),
        "cy": person("cy", "staff"),
        "dot": person("dot", "staff"),
        "ida": person("ida", "staff"),
        "eve": person("eve"),
        "expelled": person("expelled", "staff", "expelled"),
        "letters": person("letters", groups="staff"),
        "mail": person("mail@example.edu", "staff"),
        "second-ada": {**person("second-ada", "staff"), "preferred_username": "Ada"},
        # U+212A is a k in lower case
        "kelvin": {**person("kelvin", "staff"), "preferred_username": "\u212aate"},
        "subless": {"preferred_username": "subless", "groups": ["staff"]},
        "guest": person("guest"),
        "kate": person("kate"),
    }


def with_oidc(directory: Path, provider: OpenId, **more: Any) -> Hub:
    """Return a hub for the group staff, or with `allow_all` for everybody, without the expelled."""
    login: dict[str, Any] = {
        "type": "oidc",
        "issuer": "https://id.example.edu/realms/x",
        "authorize_url": f"{provider.url}/authorize",
        "token_url": f"{provider.url}/token",
        "userdata_url": f"{provider.url}/userinfo",
        "denied_groups": ["expelled"],
    }
    if "allow_all" not in more:
        login |= {"allowed_groups": ["staff", "s"], "allowed_users": ["guest", "kate"]}
    return Hub(directory, provider, **{**login, **more})


@pytest.fixture(scope="module")
def one_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    directory = tmp_path_factory.mktemp("hub")
    with running(OpenId(), directory) as provider, with_oidc(directory, provider).running() as hub:
        yield hub


@pytest.fixture
def hub(one_hub: Hub) -> Hub:
    provider = of(one_hub)
    provider.reset()
    provider.people, provider.gives_refresh_tokens = people(), False
    return one_hub


def test_name_and_address_are_kept_for_the_persons_server(hub: Hub) -> None:
    """Those that are sure, in words that a file of settings can hold; the next answer replaces them."""
    admin, _ = hub.log_in("ada")

    def kept(**claims: Any) -> dict[str, str]:
        of(hub).people["cy"] = {**person("cy", "staff"), **claims}
        assert hub.lets_in("cy")
        found: dict[str, str] = hub.api(admin, "GET", "users/cy").json()["auth_state"]["henhouse"]["person"]
        return found

    both = {"name": "Cy Ngu\u0303", "email": "cy@example.edu"}
    assert kept(**both) == kept(**both, email_verified=True) == both
    assert kept(**both, email_verified=False) == {"name": both["name"]}
    assert kept(name="Cy\n[alias]\tx\0", email="cy@example.edu\n[alias]") == {"name": "Cy [alias] x"}
    assert kept(name=["Cy"], email={"a": 1}) == kept(name=" .,:;", email="<>") == kept() == {}
    assert kept(name="x" * 5000) == {"name": "x" * 200}


def of(hub: Hub) -> OpenId:
    assert isinstance(hub.provider, OpenId)
    return hub.provider


def test_group_lets_in_and_another_keeps_out(hub: Hub) -> None:
    assert hub.lets_in("ada")
    assert hub.lets_in("guest"), "by name"
    assert not hub.lets_in("eve")
    assert not hub.lets_in("expelled")


def test_names_that_are_not_ours(hub: Hub) -> None:
    assert hub.lets_in("ada")
    assert not hub.lets_in("second-ada"), "Ada is ada here, and another account"
    assert not hub.lets_in("kelvin"), "who would be kate, who is let in by the settings"
    assert not hub.lets_in("subless"), "who has no sub"
    browser, status = hub.log_in("mail")
    assert status == 200
    assert "mail_at_example.edu" in browser.last.text


def test_group_that_is_one_word_is_not_a_list_of_letters(hub: Hub) -> None:
    assert hub.lets_in("letters")
    of(hub).people["eve"]["groups"] = "sage"
    assert not hub.lets_in("eve"), "the group s is let in"


def test_group_may_be_an_object_with_its_name(hub: Hub) -> None:
    """As CILogon has those of NCSA's directory, with the numbers that they have there."""
    eve = of(hub).people["eve"]
    eve["groups"] = [{"name": "staff", "id": 1363}]
    assert hub.lets_in("eve")
    eve["groups"] = [{"name": "staff", "id": 1363}, {"name": "expelled"}]
    assert not hub.lets_in("eve"), "what is denied wins in any spelling"
    eve["groups"] = {"name": "staff"}
    assert hub.lets_in("eve"), "one by itself"
    eve["groups"] = [{"id": 1363}, {"name": ["staff"]}, {"staff": "staff"}, 7, None]
    assert not hub.lets_in("eve")


def test_who_leaves_the_group_is_out_with_their_server(hub: Hub) -> None:
    hub.with_server("bob")
    of(hub).people["bob"]["groups"] = []
    eventually("the end of that server", lambda: hub.says("stopping the server", "bob"), seconds=SOON)


def test_token_that_ends_does_not_say_that_the_person_left(hub: Hub) -> None:
    """Without a token that renews it, there is no way to ask: the last answer holds."""
    browser = hub.with_server("cy")
    of(hub).revoke("cy")
    hub.asks_again()
    assert browser.get("/hub/home").status_code == 200
    assert hub.runs(browser, "cy")


def test_token_is_renewed_and_then_asked_with(hub: Hub) -> None:
    provider = of(hub)
    provider.gives_refresh_tokens = True
    hub.with_server("dot")
    access = next(token for token, each in provider.who.items() if each == "dot")
    del provider.who[access]
    hub.asks_again()
    assert len([each for each in provider.who.values() if each == "dot"]) == 2, "a new token, and what renews that"
    provider.people["dot"]["groups"] = ["staff", "expelled"]
    eventually("the end of that server", lambda: hub.says("stopping the server", "dot"), seconds=SOON)


def test_provider_that_is_away_while_a_token_is_renewed(hub: Hub) -> None:
    """OAuthenticator takes whatever happens there for a no."""
    provider = of(hub)
    provider.gives_refresh_tokens = True
    browser = hub.with_server("ada")
    provider.who = {}
    token = provider.token
    try:
        provider.token = lambda form: (503, None, {})  # type: ignore[method-assign]
        hub.asks_again()
        assert browser.get("/hub/home").status_code == 200
        assert hub.runs(browser, "ada")
    finally:
        provider.token = token  # type: ignore[method-assign]


LASTING: Final = {"scope": ["openid", "offline_access"]}


def test_account_that_is_closed_is_out_where_renewals_are_to_last(tmp_path: Path) -> None:
    with (
        running(OpenId(people=people(), gives_refresh_tokens=True), tmp_path) as provider,
        with_oidc(tmp_path, provider, **LASTING).running() as hub,
    ):
        hub.with_server("ada")
        provider.revoke("ada")
        eventually("the end of that server", lambda: hub.says("stopping the server", "ada"), seconds=SOON)


def test_refused_renewal_says_nothing_where_it_ends_by_itself(hub: Hub) -> None:
    """As with the person's session at the provider."""
    of(hub).gives_refresh_tokens = True
    browser = hub.with_server("ida")
    of(hub).revoke("ida")
    hub.asks_again()
    assert hub.runs(browser, "ida")


def test_renewal_whose_answer_was_lost_says_nothing_when_it_is_refused(tmp_path: Path) -> None:
    """A provider that takes it once may have taken it."""
    with (
        running(OpenId(people=people(), gives_refresh_tokens=True), tmp_path) as provider,
        with_oidc(tmp_path, provider, **LASTING).running() as hub,
    ):
        browser = hub.with_server("ada")
        token = provider.token
        provider.token = lambda form: (token(form), (503, None, {}))[1]  # type: ignore[method-assign]
        del provider.who[hub.tokens_of("ada")[0]]
        hub.asks_again()
        provider.token = token  # type: ignore[method-assign]
        hub.asks_again()
        assert hub.runs(browser, "ada")


def test_end_of_the_token_is_the_end_of_the_login_after_a_set_time(tmp_path: Path) -> None:
    with (
        running(OpenId(people=people()), tmp_path) as provider,
        with_oidc(tmp_path, provider, hold_seconds=0, allow_all=True).running() as hub,
    ):
        assert hub.lets_in("eve"), "everybody with an account"
        assert not hub.lets_in("expelled")
        hub.with_server("ada")
        provider.revoke("ada")
        eventually("the end of that server", lambda: hub.says("stopping the server", "ada"), seconds=SOON)


GOOGLE: Final[dict[str, dict[str, Any]]] = {
    "ada": {"id": "1", "email": "ada@example.edu", "verified_email": True, "hd": "example.edu"},
    "no-workspace": {"id": "2", "email": "bob@example.edu", "verified_email": True},
    "elsewhere": {"id": "3", "email": "cy@example.org", "verified_email": True, "hd": "example.org"},
    "unverified": {"id": "4", "email": "dot@example.edu", "verified_email": False, "hd": "example.edu"},
    "second-ada": {"id": "5", "email": "ada@example.edu", "verified_email": True, "hd": "example.edu"},
}


def with_google(directory: Path, provider: OpenId, **more: Any) -> Hub:
    """Return a hub for the people of example.edu, or as these settings say."""
    made = Hub(directory, provider, type="google", **{"hosted_domain": ["example.edu"], "allow_all": True, **more})
    made.also(f'login.authorize_url = "{provider.url}/authorize"', f'login.google_api_url = "{provider.url}"')
    return made


def test_google(tmp_path: Path) -> None:
    with (
        running(OpenId(people=GOOGLE, **GOOGLE_PATHS), tmp_path) as provider,
        with_google(tmp_path, provider).running() as hub,
    ):
        browser, status = hub.log_in("ada")
        assert status == 200
        assert "/user/ada" in browser.last.text or ">ada<" in browser.last.text.replace(" ", "").replace("\n", "")
        for who in ("no-workspace", "elsewhere", "unverified", "second-ada"):
            assert not hub.lets_in(who), who
        hub.with_server("ada")
        provider.people = {**GOOGLE, "ada": {**GOOGLE["ada"], "hd": "example.org"}}
        eventually("the end of that server", lambda: hub.says("stopping the server", "ada"), seconds=SOON)


def test_google_is_asked_again_after_a_second_login(tmp_path: Path) -> None:
    """It gives what renews a login once for a person, and its tokens end after an hour."""
    given_once = OpenId(people=GOOGLE, gives_refresh_tokens=True, renewed_since=set(), **GOOGLE_PATHS)
    with running(given_once, tmp_path) as provider, with_google(tmp_path, provider).running() as hub:
        hub.with_server("ada")
        assert hub.lets_in("ada"), "in another browser"
        first, renews, second = hub.tokens_of("ada")
        del provider.who[first], provider.who[second]
        eventually("a new token", lambda: len(hub.tokens_of("ada")) == 2, seconds=SOON)
        assert renews in hub.tokens_of("ada")
        provider.people = {**GOOGLE, "ada": {**GOOGLE["ada"], "hd": "example.org"}}
        eventually("the end of that server", lambda: hub.says("stopping the server", "ada"), seconds=SOON)


TWO: Final = ("example.edu", "example.org")


def test_second_domain_of_google_leaves_names_as_they_were(tmp_path: Path) -> None:
    people = {
        name: {**GOOGLE["ada"], "id": name, "email": f"ada@{name}", "hd": name}
        for name in ("example.edu", "example.org")
    }
    with running(OpenId(people=people, **GOOGLE_PATHS), tmp_path) as provider:
        domains = {"hosted_domain": list(people), "strip_domain": "example.edu"}
        with with_google(tmp_path, provider, **domains).running() as hub:
            for who, name in (("example.edu", "ada"), ("example.org", "ada_at_example.org")):
                browser, status = hub.log_in(who)
                assert status == 200
                assert f">{name}<" in "".join(browser.get("/hub/home").text.split())


UNIVERSITY: Final = "https://idp.example.edu/idp/shibboleth"
OTHERS: Final = "https://github.com/login/oauth/authorize"
CILOGON: Final[dict[str, dict[str, Any]]] = {
    "ada": {"sub": "http://cilogon.org/serverA/users/1", "idp": UNIVERSITY, "eppn": "ada@example.edu"},
    "guest": {"sub": "http://cilogon.org/serverA/users/2", "idp": UNIVERSITY, "eppn": "guest@example.org"},
    "member": {"sub": "http://cilogon.org/serverA/users/3", "idp": OTHERS, "preferred_username": "Mem"},
    "stranger": {"sub": "http://cilogon.org/serverA/users/4", "idp": OTHERS, "preferred_username": "stranger"},
    "unknown": {
        "sub": "http://cilogon.org/serverA/users/5",
        "idp": "https://evil.example/idp",
        "eppn": "x@example.edu",
    },
    "expelled": {"sub": "http://cilogon.org/serverA/users/6", "idp": UNIVERSITY, "eppn": "ex@example.edu"},
    "ada-elsewhere": {"sub": "http://cilogon.org/serverA/users/7", "idp": OTHERS, "preferred_username": "ada"},
}


def test_cilogon(tmp_path: Path) -> None:
    everyone = {name: {"isMemberOf": [], **claims} for name, claims in CILOGON.items()}
    everyone["member"]["isMemberOf"] = ["CO:members"]
    everyone["expelled"]["isMemberOf"] = ["CO:expelled"]
    with running(OpenId(people=everyone, **CILOGON_PATHS), tmp_path) as provider:
        made = Hub(
            tmp_path,
            provider,
            type="cilogon",
            idps={
                UNIVERSITY: {
                    "username_derivation": {"action": "strip_idp_domain", "domain": "example.edu"},
                    "allowed_domains": ["example.edu"],
                },
                OTHERS: {
                    "username_derivation": {
                        "username_claim": "preferred_username",
                        "action": "prefix",
                        "prefix": "gh",
                    }
                },
            },
            allowed_groups=["CO:members"],
            denied_groups=["CO:expelled"],
        )
        made.also(f'login.cilogon_host = "{provider.url.removeprefix("https://")}"')
        with made.running() as hub:
            location = hub.browser().get("/hub/oauth_login").headers["Location"]
            assert "selected_idp=https%3A%2F%2Fidp.example.edu" in location
            assert hub.lets_in("ada")
            browser, status = hub.log_in("member")
            assert status == 200
            assert "gh_mem" in browser.last.text
            for who in ("guest", "stranger", "unknown", "expelled", "ada-elsewhere"):
                assert not hub.lets_in(who), who
            hub.with_server("member", "gh_mem")
            provider.people["member"]["isMemberOf"] = []
            eventually("the end of that server", lambda: hub.says("stopping the server", "gh_mem"), seconds=SOON)
