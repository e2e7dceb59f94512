"""A stack's file is refused where it does not say what it seems to."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.as_written import refuse_as_written
from stacks.file import read
from stacks.problems import SettingsError
from tests.tools import ROOT

STACKS = ("dev", "prod")
SHORT = "config:\n  henhouse:domain: hub.example.edu\n"


def refused(directory: Path, text: str) -> str:
    """Return why a stack's file with this text is refused."""
    file = directory / "Pulumi.x.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError) as raised:
        refuse_as_written(file)
    return str(raised.value)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"henhouse:hub": {"host": {"secure": "v1:x"}}}, "hub.host"),
        ({"henhouse:domain": {"secure": "v1:x"}}, "domain"),
        ({"henhouse:mirrors": {"apt": {"site": {"url": {"secure": "v1:x"}}}}}, "mirrors.apt.site.url"),
        ({"henhouse:hub": {"administrators": [{"secure": "v1:x"}]}}, "hub.administrators.0"),
        ({"henhouse:edge": {"certificate": {"certificate": {"secure": "v1:x"}}}}, "edge.certificate.certificate"),
    ],
)
def test_encrypted_value_of_a_plain_setting_is_refused(tmp_path: Path, value: Any, path: str) -> None:
    """It would be read, and then written in plain into the state and onto the machines."""
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(yaml.safe_dump({"config": value}))
    with pytest.raises(SettingsError) as refused:
        refuse_as_written(file)
    assert f"{path}: is encrypted, but this setting is not kept secret" in str(refused.value)
    assert "monitoring.alert_webhook" in str(refused.value)


@pytest.mark.parametrize("stack", STACKS)
def test_encrypted_secrets_are_accepted(stack: str, tmp_path: Path) -> None:
    secure = {"secure": "v1:x"}
    receivers = {"mail": {"user": "hen", "password": secure}, "chat": {"type": "slack", "url": secure}}
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(yaml.safe_dump({"config": {"henhouse:monitoring": {"receivers": receivers, "watchdog": secure}}}))
    refuse_as_written(file)
    refuse_as_written(ROOT / f"Pulumi.{stack}.yaml")
    refuse_as_written(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            f"{SHORT}henhouse:hub:\n  announcements: [x]\n",
            "henhouse:hub: stands beside `config`, where nothing reads it",
        ),
        (f"hub: {{}}\n{SHORT}", "hub: stands beside `config`"),
        (f"{SHORT}  henhosue:cluster: {{max_pods: 250}}\n", "henhosue:cluster: begins with 'henhosue'"),
        (f"{SHORT}  cluster: {{max_pods: 250}}\n", "accepted: henhouse:cluster"),
        (f"{SHORT}  Henhouse:cluster: {{}}\n", "accepted: henhouse:cluster"),
    ],
)
def test_settings_that_nothing_would_read_are_refused(tmp_path: Path, text: str, says: str) -> None:
    assert says in refused(tmp_path, text)


@pytest.mark.parametrize("date", ["2026-10-01", "2026-1-2", "2026-10-01T08:00:00Z", "2026-10-01 08:00:00"])
def test_date_without_quotes_is_refused_and_named(tmp_path: Path, date: str) -> None:
    text = f"{SHORT}  henhouse:hub:\n    keys:\n      - {date}\n    extraEnv: {{SEMESTER: {date}}}\n"
    said = refused(tmp_path, text)
    assert "hub.keys.0: " in said
    assert f"hub.extraEnv.SEMESTER: {date} is a date to YAML" in said
    assert f'accepted: the same in quotes: "{date}"' in said


def test_date_in_quotes_is_a_text() -> None:
    assert read("a: '2026-13-41'\nb: 2026-13-41\nc: 7\n") == {"a": "2026-13-41", "b": "2026-13-41", "c": 7}


def test_what_the_engine_keeps_in_the_file_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(
        f'{SHORT}  henhouse:hub: {{keys: ["2026-10-01"]}}\n  pulumi:disable-default-providers: ["*"]\n'
        "  kubernetes:context: x\nencryptionsalt: v1:x\nsecretsprovider: passphrase\n"
        "encryptedkey: x\nenvironment: [x]\n"
    )
    refuse_as_written(file)
    file.write_text("")
    refuse_as_written(file)


@pytest.mark.parametrize(
    "text",
    [
        f"x-size: &size {{cpu_limit: 1}}\n{SHORT}  henhouse:hub: {{size: *size}}\n",
        f"shared: &shared {{cpu_limit: 1}}\n{SHORT}  henhouse:hub:\n    size:\n      <<: *shared\n",
        f"{SHORT}  kubernetes:kubeconfig: {{secure: v1:x}}\n",
        f"{SHORT}  henhouse:hub: {{keys: [2026-13-41, '2026-10-01', 2026-10-01.x]}}\n",
    ],
)
def test_what_the_engine_reads_as_it_is_meant_is_accepted(tmp_path: Path, text: str) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(text)
    refuse_as_written(file)


@pytest.mark.parametrize("text", ["config: {}\n---\nconfig: {}\n", "config: [\n", "config: !own x\n"])
def test_file_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    assert "Pulumi.x.yaml: cannot be read as YAML: " in refused(tmp_path, text)


@pytest.mark.parametrize("number", ["010", "08", "0644", "-017", "000123"])
def test_number_that_begins_with_0_is_refused_and_named(tmp_path: Path, number: str) -> None:
    text = f"{SHORT}  henhouse:hosts:\n    hen: {{interfaces: {{vlan: {{id: {number}}}}}}}\n"
    assert f"hosts.hen.interfaces.vlan.id: {number} is a number to base 8" in refused(tmp_path, text)


@pytest.mark.parametrize("value", ['"010"', "10", "0", "0.5", "0x10", "1.0", "00:16:3e:00:00:01", "v010"])
def test_other_numbers_and_texts_are_left_to_the_settings(tmp_path: Path, value: str) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(f"{SHORT}  henhouse:hosts:\n    hen: {{interfaces: {{vlan: {{id: {value}}}}}}}\n")
    refuse_as_written(file)


def test_permissions_are_to_base_8(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(f"{SHORT}  henhouse:hub:\n    extraFiles: {{terms: {{mode: 0644}}}}\n")
    refuse_as_written(file)
