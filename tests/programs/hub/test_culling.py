"""Servers that are stopped by themselves: the real hub, the real culler, and servers that are processes."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from components.apps.hub.culling import FILES, cull_values
from components.apps.hub.site_json import config_files
from programs.hub.culling import TELLING, Hearing, Limits, Notes, Silence, limits_for, shortest, spoken
from programs.hub.inside.inside_limits import arguments, limits_inside, with_limits
from tests.programs.hub.asking import NO_PROVISIONER, SECRETS, ask, configured, site
from tests.programs.hub.provided import ROUTES, SERVER
from tests.programs.hub.running import HUB_CA, Browser, serving
from tests.tools import eventually

TOKEN: Final = "token-of-the-culler"
SERVERS: Final = f"""
import sys

from henhouse_hub import c
from jupyterhub.spawner import SimpleLocalProcessSpawner

c.JupyterHub.spawner_class = SimpleLocalProcessSpawner
c.Spawner.cmd = [sys.executable, {str(SERVER)!r}]
"""
LATER: Final = f"""{ROUTES}
import json
from pathlib import Path

c.JupyterHub.load_groups = {{"long": ["ann", "eve"], "short": ["eve"]}}
(service,) = [each for each in c.JupyterHub.services.get_value([]) if each["name"] == "idle-culler"]
service["api_token"] = {TOKEN!r}
Path("culler-command").write_text(json.dumps(service["command"]))
"""
LESS: Final = """
(role,) = [each for each in c.JupyterHub.load_roles.get_value([]) if each["name"] == "idle-culler"]
role["scopes"].remove("read:users:groups")
"""
LONG: Final = 36000


def rules(**cull: Any) -> dict[str, Any]:
    return cull_values(site(cull=cull).hub)


@pytest.mark.parametrize(
    ("groups", "timeout", "max_age"),
    [
        ((), 3600, 86400),
        (("others",), 3600, 86400),
        (("students",), 600, 86400),
        (("staff",), 7200, 0),
        (("students", "staff"), 7200, 0),
        (("guests", "students"), 3600, 86400),
        (("guests",), 3600, 7200),
    ],
)
def test_longest_limit_of_the_groups_holds(groups: tuple[str, ...], timeout: int, max_age: int) -> None:
    cull = rules(
        maxAge=86400,
        groups=[
            {"groups": ["students", "pupils"], "timeout": 600},
            {"groups": ["staff"], "timeout": 7200, "maxAge": 0},
            {"groups": ["guests"], "maxAge": 7200},
        ],
    )
    assert limits_for(cull, groups) == Limits(timeout, max_age)
    assert shortest(cull) == Limits(600, 7200)


def test_nothing_is_due_before_its_time() -> None:
    limits, second = Limits(600, 3600), timedelta(seconds=1)
    assert limits.exceeded(600 * second - second, 3600 * second - second) is None
    assert limits.exceeded(600 * second, 600 * second) == "it was not used for 10 minutes"
    assert "ran for 1 hour" in str(limits.exceeded(0 * second, 3600 * second))
    assert Limits(600, 0).exceeded(0 * second, 10**8 * second) is None


def test_times_are_said_in_words() -> None:
    said = [spoken(seconds) for seconds in (86400, 7200, 5400, 61, 1)]
    assert said == ["1 day", "2 hours", "90 minutes", "61 seconds", "1 second"]


INSIDE: Final[dict[str, Any]] = {
    "kernels": {"cull_idle_timeout": 3600, "cull_interval": 600, "cull_connected": True},
    "groups": [
        {"groups": ["students", "pupils"], "kernels": {"cull_idle_timeout": 300}},
        {"groups": ["staff"], "kernels": {"cull_idle_timeout": 7200, "cull_interval": 60, "cull_connected": False}},
        {"groups": ["night"], "kernels": {"cull_idle_timeout": 0}, "terminals": {"cull_inactive_timeout": 900}},
        {"groups": ["batch"], "terminals": {"cull_inactive_timeout": 60}, "maxAge": 0},
    ],
}


def kernels(timeout: int, interval: int, connected: bool) -> list[str]:
    """Return the arguments with these limits of kernels."""
    owner = "--MappingKernelManager.cull"
    said = {"idle_timeout": timeout, "interval": interval, "connected": connected, "busy": False}
    return [f"{owner}_{name}={value}" for name, value in said.items()]


def terminals(timeout: int, interval: int) -> list[str]:
    """Return the arguments with these limits of terminals."""
    return [f"--TerminalManager.cull_{name}" for name in (f"inactive_timeout={timeout}", f"interval={interval}")]


EVERYONES: Final = kernels(3600, 600, connected=True)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ((), EVERYONES),
        (("others",), EVERYONES),
        (("pupils",), kernels(300, 300, connected=True)),
        (("staff", "others"), kernels(7200, 60, connected=False)),
        (("students", "staff"), kernels(7200, 300, connected=False)),
        (("night",), terminals(900, 300)),
        (("batch",), [*EVERYONES, *terminals(60, 60)]),
        (("students", "batch"), EVERYONES),
        (("night", "batch"), terminals(900, 300)),
        (("students", "staff", "night"), []),
    ],
)
def test_most_generous_limit_of_the_groups_holds_inside(groups: tuple[str, ...], expected: list[str]) -> None:
    cull = rules(**INSIDE)
    assert arguments(limits_inside(cull["limits_inside"], groups)) == expected
    assert cull["inside"] == EVERYONES


@pytest.mark.parametrize("groups", [[], [{"groups": ["staff"], "timeout": 7200, "maxAge": 0}]])
def test_hub_is_told_of_limits_inside_only_where_groups_have_them(groups: list[dict[str, Any]]) -> None:
    of = {**INSIDE, "groups": groups}
    assert "limits_inside" not in rules(**of)
    assert config_files(site(cull=of).hub).keys().isdisjoint(FILES)
    assert config_files(site(cull=INSIDE).hub).keys() >= {*FILES}


def test_limits_take_the_place_of_earlier_ones_and_not_of_the_sites_own() -> None:
    own = ["--ServerApp.root_dir=/", "--MappingKernelManager.cull_idle_timeout=0"]
    assert with_limits(["--A.b=1", *own], ["--A.b=2"], ["--A.b=1"]) == [*own, "--A.b=2"]
    assert with_limits(own, EVERYONES, []) == [*own, *EVERYONES[1:]]
    assert with_limits([*own, *EVERYONES[1:]], [], EVERYONES) == own


MINUTE: Final = timedelta(minutes=1)
NOON: Final = datetime(2026, 11, 28, 12, tzinfo=UTC)


def test_use_that_could_not_be_told_is_not_idleness() -> None:
    """After the hub was away for long, each server seems unused for as long, and says otherwise within minutes."""
    hearing, hours = Hearing(), timedelta(hours=7)
    for minute in range(11):
        hearing.confirm(NOON + minute * MINUTE, 60.0 * minute)
        assert hearing.unused(NOON - hours, NOON + minute * MINUTE) == minute * MINUTE
    assert hearing.unused(NOON - hours, NOON + TELLING) == TELLING + hours
    hearing.lose()
    hearing.confirm(NOON + hours, hours.total_seconds())
    assert hearing.unused(NOON, NOON + hours + MINUTE) == MINUTE, "again after a gap"
    assert hearing.unused(NOON + hours, NOON + hours + MINUTE / 2) == MINUTE / 2, "it was used later than that"


@pytest.mark.parametrize("step", [timedelta(hours=2), -timedelta(hours=2)])
def test_clock_that_is_set_makes_no_server_idle(step: timedelta) -> None:
    hearing = Hearing()
    hearing.confirm(NOON, 0)
    hearing.confirm(NOON + TELLING, TELLING.total_seconds())
    now = NOON + TELLING + MINUTE + step
    hearing.confirm(now, (TELLING + MINUTE).total_seconds())
    assert hearing.unused(NOON + TELLING, now) <= timedelta(0)


def test_silence_is_forgiven_once_after_each_use() -> None:
    silence, ada, bob = Silence(), ("ada", ""), ("bob", "")
    told = [
        (ada, "09:00", False, True),
        (bob, None, False, True),
        (bob, None, False, False),
        (ada, "09:00", False, False),
        (ada, "11:00", False, True),
        (ada, "11:00", True, False),
        (ada, "11:00", False, True),
    ]
    for server, used, answered, forgiven in told:
        assert silence.excuses(server, used, answered=answered) is forgiven, (server, used, answered)


def test_note_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    notes = Notes(str(tmp_path))
    assert notes.read("ada") is None
    notes.write("ada", "of this")
    assert str(notes.read("ada")).endswith(" UTC, because of this.")
    (tmp_path / "stopped-servers/ada").write_text('{"when": 1e99, "why": ""}')
    assert notes.read("ada") is None
    notes.forget("ada")
    notes.forget("ada")


@pytest.mark.parametrize("name", ["../names.json", "..", ".", "", "a/b", "/names.json"])
def test_name_that_is_a_path_has_no_note_and_ends_no_file(tmp_path: Path, name: str) -> None:
    notes, beside = Notes(str(tmp_path)), tmp_path / "names.json"
    beside.write_text("{}")
    notes.write("ada", "of this")
    notes.write(name, "of this")
    assert notes.read(name) is None
    notes.forget(name)
    assert beside.read_text() == "{}"
    assert notes.read("ada")


ONE_GROUP: Final[dict[str, Any]] = {"groups": [{"groups": ["x"], "maxAge": 0}]}


class Culled:
    """A hub with servers of these people, and its culler."""

    def __init__(self, directory: Path, *, of: Mapping[str, Any] = ONE_GROUP, **cull: Any) -> None:
        """`of` is the setting; `cull` replaces what it says, with times that no site may have."""
        self.directory = directory
        self.config = configured(directory, site(login="dummy", administrators=["ada"], cull=dict(of)), NO_PROVISIONER)
        (directory / "32-servers.py").write_text(SERVERS)
        (directory / "99-later.py").write_text(LATER)
        values = json.loads((directory / "site.json").read_text())
        values["cull"].update(every=1, **cull)
        (directory / "site.json").write_text(json.dumps(values))
        self.people: dict[str, Browser] = {}

    @contextmanager
    def running(self, *people: str) -> Iterator["Culled"]:
        """Run the hub and start the servers, then the culler."""
        with serving(self.config) as self.url:
            for name in people:
                self.people[name] = browser = Browser(self.url, self.directory / HUB_CA)
                assert browser.post("/hub/login", username=name, password=SECRETS["shared-password"]).status_code == 302
                assert browser.post("/hub/spawn").status_code == 302
            for name in people:
                eventually(f"the server of {name}", lambda name=name: self.runs(name), seconds=40)  # type: ignore[misc]
            yield self

    @contextmanager
    def culler(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Run the command that the hub would run, with the hub's address of this test."""
        if (kernels := self.directory / "kernels").exists():
            (kernels / ".hub").write_text(f"{self.url}\n{self.directory / HUB_CA}\n")
        words: list[str] = json.loads((self.directory / "culler-command").read_text())
        command = [f"--url={self.url}/hub/api" if each.startswith("--url=") else each for each in words]
        environment = {"JUPYTERHUB_API_TOKEN": TOKEN, "SSL_CERT_FILE": str(self.directory / HUB_CA)}
        with (self.directory / "culler.log").open("w") as log:
            process = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)
            try:
                yield process
            finally:
                process.terminate()
                process.wait(20)

    def api(self, name: str, method: str, path: str) -> Any:
        """Ask the hub's API as its pages do in this person's browser."""
        browser = self.people[name]
        return browser.session.request(
            method,
            f"{self.url}/hub/api/{path}",
            params={"_xsrf": browser.xsrf()},
            headers={"Referer": f"{self.url}/hub/home"},
        )

    def runs(self, name: str) -> bool:
        """Return whether a person's server runs."""
        return bool(self._servers(name).get("", {}).get("ready"))

    def await_end(self, name: str, *, seconds: float = 40) -> None:
        """Wait until a person has no server, not even one that is about to end: its page says why from then on."""
        eventually(f"{name}'s server has ended", lambda: not self._servers(name), seconds=seconds)

    def _servers(self, name: str) -> Mapping[str, Any]:
        """Return a person's servers: that run, start or end."""
        found: Mapping[str, Any] = self.api(name, "GET", f"users/{name}").json()["servers"]
        return found

    def home(self, name: str) -> str:
        """Return a person's page."""
        return " ".join(self.people[name].get("/hub/home").text.split())

    def log(self) -> str:
        """Return what the culler said."""
        return (self.directory / "culler.log").read_text()


@pytest.mark.programs
def test_idle_server_of_one_group_is_stopped_and_anothers_stays(tmp_path: Path) -> None:
    groups = [
        {"groups": ["long"], "timeout": LONG, "max_age": 0},
        {"groups": ["short"], "timeout": 1, "max_age": 0},
    ]
    hub = Culled(tmp_path, timeout=1, max_age=0, groups=groups)
    with hub.running("ann", "eve", "zoe"), hub.culler():
        hub.await_end("zoe")
        assert hub.runs("ann"), "of the group with the long limit"
        assert hub.runs("eve"), "the longest of her groups' limits holds"
        assert "Your server was stopped on" in hub.home("zoe")
        assert "because it was not used for 1 second. Your files are safe." in hub.home("zoe")
        assert "was stopped" in " ".join(hub.people["zoe"].get("/hub/user/zoe/lab").text.split())
        assert "was stopped" not in hub.home("ann")
        assert "Error" not in hub.log(), hub.log()


@pytest.mark.programs
def test_servers_have_time_to_tell_of_their_use_after_the_hub_was_away(tmp_path: Path) -> None:
    hub, limit = Culled(tmp_path, timeout=5, max_age=0, groups=[]), 5
    with hub.running("zoe"):
        ready = time.monotonic()
        eventually("the limit is over", lambda: time.monotonic() - ready > limit, seconds=40)
        begun = time.monotonic()
        with hub.culler():
            hub.await_end("zoe")
        assert time.monotonic() - begun >= limit


@pytest.mark.programs
def test_server_in_use_is_stopped_at_its_age_and_a_new_one_forgets_why(tmp_path: Path) -> None:
    hub = Culled(tmp_path, timeout=LONG, max_age=2, groups=[{"groups": ["long"], "timeout": 1, "max_age": 0}])
    with hub.running("zoe"):
        with hub.culler():
            hub.await_end("zoe")
        why = "it ran for 2 seconds, which is as long as a server may run here"
        assert why in hub.home("zoe")
        assert hub.people["zoe"].post("/hub/spawn").status_code == 302
        eventually("zoe's new server", lambda: hub.runs("zoe"), seconds=40)
        assert 'id="stop"' in hub.home("zoe"), "Stop My Server"
        assert hub.api("zoe", "DELETE", "users/zoe/server").status_code in (202, 204)
        hub.await_end("zoe")
        assert "was stopped" not in hub.home("zoe")


def with_kernels(directory: Path, **said: str) -> Path:
    """Have servers say this of their kernels; return where each person's answer is."""
    kernels = directory / "kernels"
    kernels.mkdir()
    for name, text in said.items():
        (kernels / name).write_text(text)
    environment = f"c.Spawner.environment.update({ {'KERNELS_ARE_IN': str(kernels)}!r})"
    (directory / "99-with-kernels.py").write_text(f"from henhouse_hub import c\n\n{environment}\n")
    return kernels


BUSY: Final = json.dumps([{"execution_state": "idle"}, {"execution_state": "busy"}])
IDLE: Final = json.dumps([{"execution_state": "idle"}, {"execution_state": "starting"}])


@pytest.mark.programs
def test_server_whose_kernel_computes_is_not_idle(tmp_path: Path) -> None:
    hub = Culled(tmp_path, timeout=1, max_age=0, groups=[])
    said = {"ann": IDLE, "eve": '{"execution_state": "busy"}', "bob": "[1]", "max": "[" + " " * 2**21, "lee": ""}
    kernels = with_kernels(tmp_path, zoe=BUSY, **said)
    with hub.running("zoe", *said), hub.culler():
        for name in said:
            hub.await_end(name)
        eventually("zoe's is asked", lambda: "of zoe was not used, and computes" in hub.log(), seconds=40)
        assert hub.runs("zoe")
        assert "Reached maximum read buffer size" in (tmp_path / "log").read_text()
        assert hub.log().count("of lee was not used, and does not answer") == 1, "it is asked once more"
        for name in ("eve", "zoe"):
            assert hub.api(name, "GET", "henhouse/computes/zoe/").status_code == 404, "it is for services"
        (kernels / "zoe").write_text(IDLE)
        hub.await_end("zoe")
        tokens = hub.api("zoe", "GET", "users/zoe/tokens").json()["api_tokens"]
        assert not [each for each in tokens if "kernel" in each["note"]]


@pytest.mark.programs
def test_age_counts_also_while_a_kernel_computes(tmp_path: Path) -> None:
    hub = Culled(tmp_path, timeout=1, max_age=40, groups=[])
    with_kernels(tmp_path, zoe=BUSY)
    with hub.running("zoe"), hub.culler():
        hub.await_end("zoe", seconds=100)
        assert "it ran for 40 seconds" in hub.home("zoe")
        assert "of zoe was not used, and computes" in hub.log()


@pytest.mark.programs
def test_server_is_not_stopped_while_its_persons_groups_are_not_known(tmp_path: Path) -> None:
    hub = Culled(tmp_path, timeout=1, max_age=0, groups=[{"groups": ["long"], "timeout": LONG, "max_age": 0}])
    later = tmp_path / "99-later.py"
    later.write_text(later.read_text() + LESS)
    with hub.running("ann"), hub.culler():
        eventually("the culler has looked", lambda: "a server of ann cannot be judged" in hub.log(), seconds=40)
        assert hub.runs("ann")


@pytest.mark.programs
def test_hub_runs_a_culler_only_where_it_is_wanted(tmp_path: Path) -> None:
    said = ask(tmp_path, "settings", of=site(cull={"enabled": False}))
    assert "idle-culler" not in {each["name"] for each in [*said["services"], *said["roles"]]}


@pytest.mark.programs
@pytest.mark.parametrize(
    ("hub", "seconds"),
    [
        ({"cull": {"timeout": 60}}, ["20"]),
        ({"cull": {"groups": [{"groups": ["pupils"], "timeout": 600}]}}, ["200"]),
        ({"cull": {"timeout": 900}}, []),
        ({"cull": {"timeout": 60, "enabled": False}}, []),
        ({"cull": {"timeout": 60}, "singleuser": {"extraEnv": {"JUPYTERHUB_ACTIVITY_INTERVAL": "10"}}}, [None]),
    ],
    ids=repr,
)
def test_server_says_that_it_is_used_before_it_would_be_stopped(
    tmp_path: Path, hub: dict[str, Any], seconds: list[str | None]
) -> None:
    """What a kernel or a terminal prints while no browser is there, the hub learns by nothing else."""
    (container,) = ask(tmp_path, "pod", "ada", of=site(**hub))["spec"]["containers"]
    said = [each.get("value") for each in container["env"] if each["name"] == "JUPYTERHUB_ACTIVITY_INTERVAL"]
    assert said == seconds


@pytest.mark.programs
def test_kernels_and_terminals_are_stopped_by_the_server(tmp_path: Path) -> None:
    cull = {"kernels": {"cull_idle_timeout": 1800, "cull_connected": True}, "terminals": {"cull_inactive_timeout": 900}}
    (container,) = ask(tmp_path, "pod", "ada", of=site(cull=cull))["spec"]["containers"]
    assert container["args"] == [
        "jupyterhub-singleuser",
        "--MappingKernelManager.cull_idle_timeout=1800",
        "--MappingKernelManager.cull_interval=300",
        "--MappingKernelManager.cull_connected=True",
        "--MappingKernelManager.cull_busy=False",
        "--TerminalManager.cull_inactive_timeout=900",
        "--TerminalManager.cull_interval=300",
    ]


def served(directory: Path, groups: Sequence[str], fragment: str = "") -> list[str]:
    """Return the arguments of the server of a person in these groups; `fragment` is the site's own."""
    directory.joinpath("80-own.py").write_text(f"from henhouse_hub import c\n{fragment}\n")
    (start,) = ask(directory, "starts", "ada", json.dumps(groups), "{}", of=site(cull=INSIDE))
    return list(start["pod"]["spec"]["containers"][0]["args"])


@pytest.mark.programs
def test_pod_has_the_limits_of_its_persons_groups(tmp_path: Path) -> None:
    for groups, expected in (
        ([], EVERYONES),
        (["staff"], kernels(7200, 60, connected=False)),
        (["students", "staff", "night"], []),
    ):
        directory = tmp_path / "-".join(["in", *groups])
        directory.mkdir()
        assert served(directory, groups) == ["jupyterhub-singleuser", *expected]


PROFILE: Final = """c.KubeSpawner.profile_list = [
    {"slug": "own", "display_name": "Own", "default": True, "kubespawner_override": {"args": ["--A.b=1"]}}
]"""


@pytest.mark.programs
@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ('c.KubeSpawner.args.append("--A.b=1")', ["--A.b=1", *kernels(7200, 60, connected=False)]),
        ('c.KubeSpawner.args = ["--A.b=1"]', ["--A.b=1", *kernels(7200, 60, connected=False)]),
        (PROFILE, ["--A.b=1"]),
    ],
    ids=["appended", "replaced", "of a profile"],
)
def test_arguments_of_the_sites_own_stay(tmp_path: Path, fragment: str, expected: list[str]) -> None:
    assert served(tmp_path, ["staff"], fragment) == ["jupyterhub-singleuser", *expected]


TOKEN_OF_GROUPS: Final = "token-of-who-keeps-groups"
KEEPER: Final = f"""
from henhouse_hub import c

c.JupyterHub.services.append({{"name": "keeper", "api_token": {TOKEN_OF_GROUPS!r}}})
c.JupyterHub.load_roles.append({{"name": "keeper", "scopes": ["groups"], "services": ["keeper"]}})
"""


@pytest.mark.programs
def test_servers_of_a_member_and_of_another_person_get_their_own_limits(tmp_path: Path) -> None:
    """Groups are those at the start: whoever joins one has its limits from the next start on."""
    hub = Culled(tmp_path, of=INSIDE)
    told = tmp_path / "arguments"
    told.mkdir()
    (tmp_path / "33-keeper.py").write_text(KEEPER + f'c.Spawner.environment = {{"TELLS_ARGUMENTS": {str(told)!r}}}\n')
    later = tmp_path / "99-later.py"
    later.write_text(later.read_text() + 'c.JupyterHub.load_groups = {"staff": ["ann"]}\n')

    def arguments_of(name: str) -> Any:
        return json.loads((told / name).read_text())

    with hub.running("ann", "zoe"):
        assert arguments_of("ann") == kernels(7200, 60, connected=False)
        assert arguments_of("zoe") == EVERYONES
        joins = requests.post(
            f"{hub.url}/hub/api/groups/staff/users",
            json={"users": ["zoe"]},
            headers={"Authorization": f"token {TOKEN_OF_GROUPS}"},
            verify=str(tmp_path / HUB_CA),
        )
        assert joins.status_code == 200, joins.text
        assert hub.api("zoe", "DELETE", "users/zoe/server").status_code in (202, 204)
        hub.await_end("zoe")
        assert hub.people["zoe"].post("/hub/spawn").status_code == 302
        eventually("zoe's new server", lambda: hub.runs("zoe"), seconds=40)
        assert arguments_of("zoe") == kernels(7200, 60, connected=False)
