"""A configuration is tried before the hub restarts with it, by the JupyterHub that will read it."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from components.apps.hub.addresses import HUB_PORT
from components.apps.hub.site_json import REHEARSAL, TERMINATION
from tests.programs.hub.asking import SECRETS, configured, kubeconfig
from tests.stacks.logins import PROVIDERS
from tests.stacks.test_fragments import parsed, written
from tests.tools import jupyterhub_python

pytestmark = pytest.mark.programs

IMPORT: Final = "from henhouse_hub import c\n\n"


@dataclass(frozen=True)
class Rehearsed:
    """What the program did."""

    status: int
    message: str
    """What Kubernetes shows of it."""
    log: str


def rehearsed(directory: Path, fragment: str, *, longest: int = 300, **hub: Any) -> Rehearsed:
    """Rehearse a site's configuration with one fragment of its own, for at most `longest` seconds."""
    stack, pod, message = (directory / each for each in ("stack", "hub", "message"))
    pod.mkdir()
    written(stack, {"80-own.py": fragment})
    of = parsed(stack, fragments="site/fragments", **hub)
    configured(pod, of, secrets={**SECRETS, **of.hub.login.given})
    message.touch()  # as Kubernetes does
    program, termination = pod / REHEARSAL, pod / TERMINATION
    termination.write_text(termination.read_text().replace("/dev/termination-log", str(message)))
    program.write_text(re.sub("(LONGEST_SECONDS: Final) = [0-9]+", rf"\1 = {longest}", program.read_text()))
    (directory / "kubeconfig").write_text(kubeconfig("https://127.0.0.1:1"))
    done = subprocess.run(
        [str(jupyterhub_python()), str(program), str(HUB_PORT)],
        cwd=pod,
        env=os.environ | {"KUBECONFIG": str(directory / "kubeconfig")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Rehearsed(done.returncode, message.read_text(), done.stdout + done.stderr)


@pytest.mark.parametrize("login", ["native", "dummy"])
def test_good_configuration_passes(tmp_path: Path, login: str) -> None:
    """Also with a thread that runs for as long as the hub would."""
    thread = "import threading\nimport time\n\nthreading.Thread(target=time.sleep, args=(3600,)).start()\n"
    done = rehearsed(tmp_path, IMPORT + thread + "c.JupyterHub.active_server_limit = 5\n", login=login)
    assert (done.status, done.message) == (0, ""), done.log


EVERYTHING: Final[dict[str, Any]] = {
    "sizes": "doubling",
    "profile_list": [{"display_name": "Lab"}],
    "prePuller": {"continuous": {"enabled": True}},
    "announcements": [{"text": "Hello"}],
    "cull": {
        "maxAge": 86400,
        "groups": [{"groups": ["staff"], "timeout": 7200, "kernels": {"cull_idle_timeout": 7200}}],
    },
    "templateVars": {"course": "astronomy"},
    "extraEnv": {"COURSE": "astronomy"},
    "loadRoles": {"helpers": {"scopes": ["list:users"], "groups": ["staff"]}},
    "networkPolicy": {"egress": [{"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}]}]},
}


@pytest.mark.parametrize("login", PROVIDERS)
def test_what_henhouse_sets_itself_is_there(tmp_path: Path, login: str) -> None:
    """With all that a site may ask for: the names of settings, too, are those of the classes in use."""
    more = {"git_credentials": True, "scope": ["read:org", "public_repo"], "organization_groups": True}
    settings = {**PROVIDERS[login], **(more if login == "github" else {})}
    done = rehearsed(tmp_path, IMPORT, login=settings, **EVERYTHING)
    assert (done.status, done.message) == (0, ""), done.log


def test_database_of_people_is_not_opened(tmp_path: Path) -> None:
    """Neither the site's PostgreSQL, which does not answer here, nor one that a fragment names."""
    db = {
        "type": "postgres",
        "url": "postgresql://hub@database.example.org/hub",
        "password": "password-of-this-test",
        "networks": ["192.0.2.10/32"],
    }
    own = "c.JupyterHub.db_url = 'postgresql://elsewhere.example.org/hub'\nc.JupyterHub.db_kwargs = {'pool_size': 3}\n"
    done = rehearsed(tmp_path, IMPORT + own, db=db)
    assert (done.status, done.message) == (0, ""), done.log


@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        ("import sys\n\nlimit = 1 / 0\n", r"80-own\.py, line 3: ZeroDivisionError: division by zero"),
        (
            IMPORT + "import json\n\n\ndef own():\n    return json.loads('{')\n\n\nown()\n",
            r"80-own\.py, line 7: .*JSONDec",
        ),
        ("raise SystemExit(0)\n", r"80-own\.py, line 1: SystemExit: 0"),
        (IMPORT + "c.JupyterHub.active_server_limit = 'many'\n", "'active_server_limit' trait .* expected an int"),
        (IMPORT + "c.JupyterHub.authenticator_class = 'no.Class'\n", "'authenticator_class' .* could not be imported"),
        (IMPORT + "c.KubeSpawner.volumes = 'many'\n", "'volumes' trait .* expected a list or a dict"),
        (
            IMPORT + "c.JupyterHub.services.append({'name': 'own', 'command': ['no-such-program']})\n",
            "no program no-such-program, which its service own runs",
        ),
        (
            IMPORT + "c.JupyterHub.active_server_limt = 5\n",
            r"c\.JupyterHub\.active_server_limt: there is no such setting; is it active_server_limit\?",
        ),
        (IMPORT + "c.KubeSpawner.qqq = 5\n", r"c\.KubeSpawner\.qqq: there is no such setting$"),
        (IMPORT + "c.Authenticator.allow_al = True\n", r"c\.Authenticator\.allow_al: .* is it allow_all\?"),
        (IMPORT + "c.JupyterHub.base_url = '/jupyter/'\n", "has to answer at .*/hub/.* would at .*/jupyter/hub/"),
        (
            IMPORT + "from henhouse_hub import secret\n\nint(secret('proxy-token') + 'x')\n",
            r"80-own\.py, line 5: ValueError: .*'\[proxy-token\]x'",
        ),
        (
            IMPORT + "c.JupyterHub.load_roles.append({'name': 'own', 'scopes': ['list:all']})\n",
            "Scope 'list:all' for role own does not exist",
        ),
    ],
)
def test_what_would_end_the_hub_is_said_in_a_line(tmp_path: Path, fragment: str, said: str) -> None:
    done = rehearsed(tmp_path, fragment)
    assert done.status == 1
    assert re.search(said, done.message), done.message + done.log
    assert "Traceback" in done.log


HANGS: Final = """import threading

while True:
    try:
        threading.Event().wait()
    except Exception:
        pass
"""


def test_fragment_that_hangs_is_named(tmp_path: Path) -> None:
    """Also one that begins again after every error."""
    done = rehearsed(tmp_path, HANGS, longest=3)
    assert (done.status, done.message) == (1, "80-own.py, line 5: has not come to an end in 3 s")


@pytest.mark.parametrize(
    "value", ["secret('administrators')", "secret('crypt-keys').split(';')[1]", "json.loads(secret('administrators'))"]
)
def test_no_part_of_a_secret_is_said(tmp_path: Path, value: str) -> None:
    done = rehearsed(tmp_path, f"import json\n\nfrom henhouse_hub import secret\n\nraise ValueError({value})\n")
    assert done.message.startswith("80-own.py, line 5: ValueError: ")
    assert "first-password" not in done.message
    assert "efefef" not in done.message


@pytest.mark.parametrize(
    "service", ["'command': ['./own'], 'cwd': OWN", "'command': ['own'], 'environment': {'PATH': OWN}"]
)
def test_service_has_its_program_where_the_hub_looks_for_it(tmp_path: Path, service: str) -> None:
    program = tmp_path / "own"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    of_site = f"OWN = {str(tmp_path)!r}\nc.JupyterHub.services.append({{'name': 'own', {service}}})\n"
    done = rehearsed(tmp_path, IMPORT + of_site)
    assert (done.status, done.message) == (0, ""), done.log
