"""Git in a person's server, with their token of GitHub: real git, the real hub, a server that asks for the token."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from tests.programs.hub.asking import SECRETS, ask
from tests.programs.hub.git_server import PREFIX
from tests.programs.hub.provided import SOON, Hub
from tests.programs.hub.provider import GitHub, running
from tests.programs.hub.running import HUB_CA, Browser
from tests.programs.hub.test_person import files, variables
from tests.tools import eventually

pytestmark = pytest.mark.programs

PEOPLE: Final = ("ada", "grace", "kim", "lee", "max")
AGREED: Final = "public_repo,read:org,read:user,user:email"
ENVIRONMENTS: Final = "environments"
ASKED_AT: Final = "/hub/api/henhouse/git-credential"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def hub(directory: Path) -> Iterator[Hub]:
    """Return a hub where git may use people's tokens, of a GitHub that keeps a repository of each person."""
    github = GitHub(
        accounts={name: number for number, name in enumerate(PEOPLE, 1)},
        profiles={"grace": {"name": 'Grace "Amazing" Hopper', "email": None}},
        organizations={"Flock": 1001},
        members={"Flock": set(PEOPLE)},
        scope=AGREED,
        repositories=directory / "repositories",
    )
    for name in PEOPLE:
        subprocess.run(["git", "init", "--quiet", "--bare", directory / f"repositories/{name}.git"], check=True)
    (directory / ENVIRONMENTS).mkdir()
    with running(github, directory) as provider:
        made = Hub(
            directory,
            provider,
            type="github",
            url=provider.url,
            allowed_organizations=["Flock"],
            scope=AGREED.split(","),
            git_credentials=True,
        )
        made.also(f"c.Spawner.environment = {{'TELLS_ENVIRONMENT': {str(directory / ENVIRONMENTS)!r}}}")
        with made.running():
            yield made


class Shell:
    """A terminal in a person's server: what the hub gave the server, and the files of their pod."""

    def __init__(self, hub: Hub, directory: Path, name: str, pod: Any) -> None:
        self.home = directory / f"home-of-{name}"
        self.home.mkdir()
        self._etc = directory / f"etc-of-{name}"
        self._etc.mkdir()
        for path, text in files(pod).items():
            placed = self._etc / Path(path).name
            placed.write_text(self._here(text))
            placed.chmod(0o555)
        self.server = json.loads((directory / ENVIRONMENTS / name).read_text())
        told = {key: self._here(value) for key, value in variables(pod).items() if isinstance(value, str)}
        self.environment = {
            **told,
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "JUPYTERHUB_API_TOKEN": self.server["JUPYTERHUB_API_TOKEN"],
            "JUPYTERHUB_API_URL": f"{hub.url}/hub/api",
            "SSL_CERT_FILE": str(directory / HUB_CA),
            "GIT_TERMINAL_PROMPT": "0",
        }

    def _here(self, text: str) -> str:
        return text.replace("/etc/henhouse", str(self._etc)).replace("/etc/gitconfig", "/nonexistent")

    def _run(self, command: list[str], said: str, more: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        environment = {**self.environment, **more}
        return subprocess.run(
            command, cwd=self.home, env=environment, input=said, capture_output=True, text=True, check=False
        )

    def git(self, *words: str, said: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """Run git in the home."""
        return self._run(["git", *words], said, more)

    def commit_and_push(self, to: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Make a commit, and push it to this repository."""
        if not (self.home / ".git").exists():
            assert self.git("init", "--quiet", "--initial-branch=main").returncode == 0
        made = self.git("commit", "--quiet", "--allow-empty", "--message=work")
        assert made.returncode == 0, made.stderr
        return self.git(*options, "push", to, "main")

    def helper(self, url: str, said: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Ask the helper as git does."""
        return self._run([str(self._etc / "git-credential"), url, "get"], said, more)

    def written(self) -> str:
        """Return all that is in files of the home, and in those that the hub gave the pod."""
        paths = [path for place in (self.home, self._etc) for path in place.rglob("*") if path.is_file()]
        return "\n".join([*map(str, paths), *(path.read_bytes().decode(errors="replace") for path in paths)])


@pytest.fixture(scope="module")
def grace(hub: Hub, directory: Path) -> tuple[Browser, Shell]:
    return at_work(hub, directory, "grace")


@pytest.fixture(scope="module")
def admin(hub: Hub) -> Browser:
    return hub.log_in("ada")[0]


def at_work(hub: Hub, directory: Path, name: str) -> tuple[Browser, Shell]:
    """Return the browser of a person whose server runs, and a terminal there."""
    browser = hub.with_server(name)
    boss, _ = hub.log_in("ada")
    state = hub.api(boss, "GET", f"users/{name}").json()["auth_state"]
    place = directory / f"pod-of-{name}"
    place.mkdir()
    (pod,) = ask(place, "person", name, json.dumps(state), of=hub.site, secrets={**SECRETS, **hub.secrets})
    return browser, Shell(hub, directory, name, pod)


def repository(hub: Hub, name: str) -> str:
    return f"{hub.provider.url}{PREFIX}{name}.git"


def asked(hub: Hub, directory: Path, token: str) -> requests.Response:
    """Ask the hub for the token of GitHub, with one of its own."""
    headers = {"Authorization": f"token {token}"} if token else {}
    return requests.get(f"{hub.url}{ASKED_AT}", headers=headers, verify=str(directory / HUB_CA), timeout=30)


def pushed(directory: Path, name: str) -> list[str]:
    """Return the authors of what was pushed, the newest first."""
    words = ["git", "-C", str(directory / f"repositories/{name}.git"), "log", "--format=%an <%ae>", "main"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()


def test_push_goes_with_the_token_of_the_login_and_leaves_it_nowhere(
    hub: Hub, directory: Path, grace: tuple[Browser, Shell]
) -> None:
    _, shell = grace
    done = shell.commit_and_push(repository(hub, "grace"))
    assert done.returncode == 0, done.stderr
    assert pushed(directory, "grace") == ['Grace "Amazing" Hopper <2+grace@users.noreply.127.0.0.1>']
    for token in hub.tokens_of("grace"):
        assert token not in shell.written()
        assert token not in json.dumps(shell.environment)
        assert token not in json.dumps(shell.server), "the whole environment of the server that runs"
        assert token not in hub.log()


def test_new_login_brings_another_token_and_the_old_one_is_gone(
    hub: Hub, directory: Path, grace: tuple[Browser, Shell]
) -> None:
    _, shell = grace
    (*_, old) = hub.tokens_of("grace")
    assert hub.lets_in("grace")
    (*_, new) = hub.tokens_of("grace")
    assert new != old
    hub.provider.who.pop(old)
    before = len(pushed(directory, "grace"))
    done = shell.commit_and_push(repository(hub, "grace"))
    assert done.returncode == 0, done.stderr
    assert len(pushed(directory, "grace")) == before + 1
    host = hub.provider.url.removeprefix("https://")
    filled = shell.git("credential", "fill", said=f"protocol=https\nhost={host}\n\n").stdout
    assert f"password={new}\n" in filled
    assert old not in filled


def test_server_gets_the_token_of_its_own_person(hub: Hub, directory: Path, grace: tuple[Browser, Shell]) -> None:
    _, shell = grace
    answer = asked(hub, directory, shell.server["JUPYTERHUB_API_TOKEN"])
    assert answer.json() == {"username": "grace", "password": hub.tokens_of("grace")[-1]}
    assert answer.headers["Cache-Control"] == "no-store"
    hub.with_server("kim")
    other = json.loads((directory / ENVIRONMENTS / "kim").read_text())["JUPYTERHUB_API_TOKEN"]
    assert asked(hub, directory, other).json()["password"] == hub.tokens_of("kim")[-1]


def test_only_the_person_gets_it(hub: Hub, directory: Path, grace: tuple[Browser, Shell], admin: Browser) -> None:
    browser, shell = grace
    made = hub.api(browser, "POST", "users/grace/tokens").json()["token"]
    of_admin = hub.api(admin, "POST", "users/ada/tokens").json()["token"]
    for name, token in {
        "no token": "",
        "a made-up token": "0" * 32,
        "a token that the person made for a script": made,
        "an administrator": of_admin,
        "a service": SECRETS["metrics-token"],
        "a visit of the person to the own server": visit(hub, browser, shell, "grace"),
        "a visit of an administrator": visit(hub, admin, shell, "grace"),
    }.items():
        answer = asked(hub, directory, token)
        assert answer.status_code == 403, name
        assert "password" not in answer.json(), name
    assert hub.api(browser, "GET", "henhouse/git-credential").status_code == 403, "a page, by the cookie"
    assert browser.get(ASKED_AT).status_code == 403


def visit(hub: Hub, browser: Browser, shell: Shell, owner: str) -> str:
    """Return the token that a server gets for who opens its page: an owner's as an administrator's."""
    client = shell.server["JUPYTERHUB_CLIENT_ID"]
    query = {
        "client_id": client,
        "redirect_uri": f"/user/{owner}/oauth_callback",
        "response_type": "code",
        "state": "x",
    }
    place = f"{hub.url}/hub/api/oauth2/authorize"
    answer = browser.session.get(place, params=query, allow_redirects=False)
    if answer.status_code == 200:  # the hub asks an administrator first
        fields = {"_xsrf": browser.xsrf(), "scopes": f"access:servers!server={owner}/"}
        answer = browser.session.post(
            place, params=query, data=fields, headers={"Referer": answer.url}, allow_redirects=False
        )
    code = answer.headers["Location"].partition("code=")[2].partition("&")[0]
    form = {
        "client_id": client,
        "client_secret": shell.server["JUPYTERHUB_API_TOKEN"],
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": query["redirect_uri"],
    }
    given = requests.post(f"{hub.url}/hub/api/oauth2/token", data=form, verify=browser.session.verify, timeout=30)
    return str(given.json()["access_token"])


def test_token_goes_to_the_configured_host_over_tls_alone(hub: Hub, grace: tuple[Browser, Shell]) -> None:
    _, shell = grace
    url = hub.provider.url
    host = url.removeprefix("https://")
    assert "password=" in shell.helper(url, f"protocol=https\nhost={host}\n").stdout
    for said in (
        f"protocol=http\nhost={host}\n",
        f"protocol=https\nhost={host}0\n",
        f"protocol=https\nhost={host}.example.org\n",
        "protocol=https\nhost=127.0.0.1\n",
        f"protocol=https\nhost={host}@example.org\n",
        f"host={host}\n",
        f"protocol=https\nhost={host}\nusername=another\n",
        "",
    ):
        assert shell.helper(url, said).stdout == "", said
        assert shell.git("credential", "fill", said=f"{said}\n").stdout == "", said


def test_token_is_not_handed_to_a_helper_that_may_write_it_down(
    hub: Hub, directory: Path, grace: tuple[Browser, Shell]
) -> None:
    """Homes from the old hub have `store` in ~/.gitconfig: git hands every helper what was accepted."""
    _, shell = grace
    to = repository(hub, "grace")
    for config in (
        "[credential]\n\thelper = store\n",
        f'[credential "{hub.provider.url}"]\n\thelper = store --file kept\n',
        '[credential "https://*.0.0.1"]\n\thelper = store\n',
    ):
        (shell.home / ".gitconfig").write_text(config)
        done = shell.commit_and_push(to)
        assert done.returncode != 0
        assert "which may write it down" in done.stderr
        assert "store" in done.stderr
        assert not [each for each in hub.tokens_of("grace") if each in shell.written()]
    (shell.home / ".gitconfig").unlink()
    assert shell.commit_and_push(to, "-c", "credential.helper=store").returncode != 0
    assert shell.commit_and_push(to, "-c", "credential.https://gitlab.com.helper=store").returncode == 0
    assert not (shell.home / ".git-credentials").exists()


def test_own_helper_of_the_person_wins(hub: Hub, grace: tuple[Browser, Shell]) -> None:
    """As `gh auth setup-git` writes it: an empty entry forgets those before."""
    _, shell = grace
    own = "!f() { echo username=mine; echo password=mine; }; f"
    host = hub.provider.url.removeprefix("https://")
    place = f"credential.{hub.provider.url}.helper"
    options = ("-c", f"{place}=", "-c", f"{place}={own}")
    filled = shell.git(*options, "credential", "fill", said=f"protocol=https\nhost={host}\n\n")
    assert "password=mine" in filled.stdout
    assert filled.stderr == ""


def test_person_is_told_why_there_is_no_token(hub: Hub, directory: Path, grace: tuple[Browser, Shell]) -> None:
    _, shell = grace
    url = hub.provider.url
    said = f"protocol=https\nhost={url.removeprefix('https://')}\n"
    away = shell.helper(url, said, JUPYTERHUB_API_URL="https://127.0.0.1:1/hub/api")
    assert (away.stdout, away.returncode) == ("", 0), "git may still ask the person"
    assert "the hub does not answer" in away.stderr
    assert isinstance(hub.provider, GitHub)
    hub.provider.scope = "read:org,read:user"
    try:
        _, other = at_work(hub, directory, "lee")
    finally:
        hub.provider.scope = AGREED
    refused = other.helper(url, said)
    assert refused.stdout == ""
    assert "log in again and agree" in refused.stderr
    assert hub.lets_in("lee")
    assert "password=" in other.helper(url, said).stdout, "the server need not start again"


def test_server_that_was_stopped_has_no_token(hub: Hub, directory: Path) -> None:
    browser = hub.with_server("max")
    token = json.loads((directory / ENVIRONMENTS / "max").read_text())["JUPYTERHUB_API_TOKEN"]
    assert asked(hub, directory, token).status_code == 200
    assert hub.api(browser, "DELETE", "users/max/server").status_code in (202, 204)
    eventually("the end of its token", lambda: asked(hub, directory, token).status_code == 403, seconds=SOON)
