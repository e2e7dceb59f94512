"""One site's story, in order: built, used, broken, repaired, struck by a power cut, and taken away."""

import re
from typing import Any, Final

import pytest

from tests.acceptance.site import (
    HOSTS,
    Clock,
    changes,
    eventually,
    exported,
    inside,
    kubectl,
    lab,
    make,
    on,
    output,
    pulumi,
)
from tests.browser.session import Notebook, open_notebook

pytestmark = pytest.mark.rack

USER: Final = "ada"
FILE: Final = "proof.txt"
HOME: Final = f"/nest/homes/{USER}"
COMMAND: Final = "command:remote:Command"


def test_a_site_comes_up_from_nothing(clock: Clock) -> None:
    make("down")
    with clock.timing("make up, from nothing"):
        built = make("up")
    assert "https://hub.henhouse.localhost" in built.stdout
    assert "any name, password" in built.stdout


def test_a_second_up_changes_nothing(clock: Clock) -> None:
    with clock.timing("make up, unchanged"):
        again = make("up")
    assert set(changes(again.stdout)) == {"unchanged"}


def test_volume_follows_the_service() -> None:
    resources = exported()
    (volume,) = [each for each in resources if each["type"] == "kubernetes:core/v1:PersistentVolume" and _nfs(each)]
    (service,) = [each for each in resources if each["urn"].endswith("Service::homes-service")]
    assert _nfs(volume)["server"] == service["outputs"]["spec"]["clusterIP"]
    assert service["urn"] in volume["dependencies"]


def _nfs(resource: dict[str, Any]) -> Any:
    return resource["inputs"]["spec"].get("nfs")


def test_person_logs_in_and_saves_a_file(clock: Clock) -> None:
    with clock.timing("login → notebook → file, image not on the node yet"):
        _write_file(USER, "first")
    assert on("hen", f"cat {HOME}/{FILE}").strip() == "first"
    with clock.timing("login → notebook → file, again"):
        _write_file("grace", "hers")


def _write_file(user: str, text: str) -> None:
    page: Notebook
    with open_notebook(user, output("login").rpartition(" ")[2]) as page:
        page.run(f"open('{FILE}', 'w').write('{text}')")
        page.expect_output(str(len(text)))


def test_file_is_on_the_dataset() -> None:
    assert on("hen", f"stat -f -c %T {HOME}").strip() == "zfs"
    assert on("hen", f"zfs list -H -o name {HOME}").strip() == "nest/homes"


def test_home_is_its_owners_alone() -> None:
    mode, owner = on("hen", f"stat -c '%a %u' {HOME}").split()
    other = on("hen", "stat -c %u /nest/homes/grace").strip()
    assert mode == "700"
    assert owner != other
    refused = on("hen", f"setpriv --reuid {other} --regid {other} --clear-groups cat {HOME}/{FILE} 2>&1 || true")
    assert "Permission denied" in refused
    pod = f"jupyter-{USER}"
    listing = kubectl("--namespace", "users", "exec", pod, "--", "sh", "-c", "ls -la /home/jovyan/..; id -u")
    assert "grace" not in listing


def test_hub_sees_the_browsers_address() -> None:
    log = kubectl("--namespace", "hub", "logs", "deployment/hub")
    assert re.search(rf"{USER}@198\.18\.0\.1\b", log), "the hub's log shows another address than the browser's"


def test_what_was_broken_by_hand_is_named_and_repaired(clock: Clock) -> None:
    on("chick1", "echo '/dev/vdz9 none swap sw 0 0' >> /etc/fstab")
    on("hen", "sed -i 's/root_squash/no_root_squash/' /etc/exports.d/henhouse.exports")
    on("hen", "systemctl stop prometheus-node-exporter")
    broken = {("chick1", "/etc/fstab"), ("hen", "/etc/exports.d/henhouse.exports"), ("hen", "prometheus-node-exporter")}

    with clock.timing("drift of all machines"):
        found = make("drift", "FORMAT=--json", check=False)
    assert found.returncode == 2, "make says 2 when a recipe fails"
    assert _drift(found.stdout) == broken

    preview = pulumi("preview", "--diff", HENHOUSE_PROBE="1")
    assert changes(preview.stdout).get("update") == 3
    assert set(changes(preview.stdout)) == {"update", "unchanged"}

    repaired = make("repair")
    assert changes(repaired.stdout).get("updated") == 3
    make("drift")
    assert set(changes(pulumi("preview", HENHOUSE_PROBE="1").stdout)) == {"unchanged"}


def _drift(text: str) -> set[tuple[str, str]]:
    import json

    rows = json.loads(text[text.index("[") : text.rindex("]") + 1])
    return {(row["host"], row["item"].removesuffix(".service")) for row in rows}


def test_a_used_disk_is_refused_by_name() -> None:
    state = on("hen", "zpool list -H -o guid nest").strip()
    refused = on("hen", "zpool export nest && /usr/local/lib/henhouse/pool --help 2>&1 | head -1; zpool import nest")
    assert state == on("hen", "zpool list -H -o guid nest").strip(), refused


def test_everything_comes_back_after_a_power_cut(clock: Clock) -> None:
    lab("power", "cut")
    with clock.timing("power cut of every machine → login page"):
        lab("power", "on")
        eventually("the login page", _login_page, seconds=900)
    with (
        clock.timing("power cut of every machine → notebook (from the login page)"),
        open_notebook(USER, output("login").rpartition(" ")[2]) as page,
    ):
        page.run(f"print(open('{FILE}').read())")
        page.expect_output("first")
    make("drift")


def _login_page() -> bool:
    answer = inside(
        "curl",
        "--silent",
        "--insecure",
        "--max-time",
        "5",
        "--resolve",
        "hub.henhouse.localhost:443:198.18.0.2",
        "https://hub.henhouse.localhost/hub/login",
        check=False,
    )
    return "JupyterHub" in answer.stdout


def test_secrets_are_nowhere_they_should_not_be() -> None:
    secrets = _secret_values()
    assert len(secrets) >= 10
    text = pulumi("stack", "export").stdout + pulumi("preview", "--diff").stdout
    assert not [name for name, value in secrets.items() if value in text], "in the state or in a plan"
    for host in HOSTS:
        seen = on(
            host, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; journalctl --no-pager --quiet --output cat", check=False
        )
        assert not [name for name, value in secrets.items() if value in seen], (
            f"on a command line or in a log of {host}"
        )


def _secret_values() -> dict[str, str]:
    """Every secret that the stack made, by what made it."""
    made: dict[str, str] = {}
    for each in exported():
        for key in ("result", "hex", "privateKeyPem", "base64"):
            value = each.get("outputs", {}).get(key)
            if isinstance(value, dict):
                value = value.get("plaintext", "").strip('"')
            if value and each["type"].startswith(("random:", "tls:index/privateKey")):
                made[f"{each['urn'].rpartition('::')[2]}.{key}"] = value.replace("\\n", "\n").split("\n")[
                    -2 if "\n" in value else 0
                ]
    return made


def test_nothing_is_left_when_it_is_taken_down(clock: Clock) -> None:
    with clock.timing("make down"):
        make("down")
    inside_gone = make("leaks", check=False)
    assert inside_gone.returncode == 0, inside_gone.stdout
