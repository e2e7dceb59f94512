"""Which passphrases a stack may have."""

import shutil
from pathlib import Path

import pytest
import yaml

from stacks.passphrase import PUBLISHED, PassphraseError, opens, refuse_published, require
from tests.stacks.sites import ROOT


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory of a site whose people began with a copy of the committed example."""
    shutil.copy(ROOT / "Pulumi.prod.yaml", tmp_path / "Pulumi.mysite.yaml")
    shutil.copy(ROOT / "Pulumi.prod.yaml", tmp_path)
    shutil.copy(ROOT / "Pulumi.dev.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("stack", PUBLISHED)
def test_published_passphrase_is_that_of_its_stack_alone(stack: str) -> None:
    salt = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["encryptionsalt"]
    assert [each for each in PUBLISHED.values() if opens(salt, each)] == [PUBLISHED[stack]]


def test_makefile_knows_the_same_passphrases() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for passphrase in PUBLISHED.values():
        assert passphrase in makefile


@pytest.mark.parametrize("preview", [False, True])
def test_copied_salt_is_refused(directory: Path, preview: bool) -> None:
    with pytest.raises(PassphraseError) as refused:
        refuse_published("mysite", lab=False, preview=preview)
    assert "the passphrase henhouse-example, which is published" in str(refused.value)
    assert "pulumi stack change-secrets-provider passphrase --stack mysite" in str(refused.value)


def test_example_may_be_previewed_and_not_brought_up(directory: Path) -> None:
    refuse_published("prod", lab=False, preview=True)
    with pytest.raises(PassphraseError):
        refuse_published("prod", lab=False, preview=False)


def test_lab_has_nothing_to_hide(directory: Path) -> None:
    refuse_published("dev", lab=True, preview=False)


@pytest.mark.parametrize("text", ["config: {}\n", "secretsprovider: awskms://alias/site\n", ""])
def test_stack_without_a_passphrase_is_not_asked_for_one(directory: Path, text: str) -> None:
    (directory / "Pulumi.mysite.yaml").write_text(text)
    refuse_published("mysite", lab=False, preview=False)


def test_passphrase_has_to_be_given(directory: Path) -> None:
    with pytest.raises(PassphraseError, match="export PULUMI_CONFIG_PASSPHRASE_FILE="):
        require("mysite", {})
    with pytest.raises(PassphraseError):
        require("mysite", {"PULUMI_CONFIG_PASSPHRASE": ""})
    require("mysite", {"PULUMI_CONFIG_PASSPHRASE": "one of our own"})
    require("mysite", {"PULUMI_CONFIG_PASSPHRASE_FILE": "/run/passphrase"})


def test_stack_whose_secrets_another_service_keeps_needs_none(directory: Path) -> None:
    (directory / "Pulumi.mysite.yaml").write_text("secretsprovider: awskms://alias/site\n")
    require("mysite", {})
    require("org/henhouse/mysite", {})
    (directory / "Pulumi.mysite.yaml").write_text("config: {}\n")
    require("mysite", {"PULUMI_BACKEND_URL": "https://api.pulumi.com"})


@pytest.mark.parametrize("salt", ["v1:abc", "v1:a:v1:b:c", "v2:AAAA:v1:AAAA:AAAA", "nonsense"])
def test_salt_of_another_form_is_left_to_the_engine(directory: Path, salt: str) -> None:
    (directory / "Pulumi.mysite.yaml").write_text(f"encryptionsalt: {salt}\n")
    refuse_published("mysite", lab=False, preview=False)


def test_empty_passphrase_is_refused(directory: Path) -> None:
    # Made by `pulumi stack init` with an empty PULUMI_CONFIG_PASSPHRASE.
    salt = "v1:t1t9Z+jDHi4=:v1:jqC7ZcOSvdF01SCa:nCVhl02de2BCQ3rJSXkWoJf96y/1uQ=="
    (directory / "Pulumi.mysite.yaml").write_text(f"encryptionsalt: {salt}\n")
    with pytest.raises(PassphraseError, match="encryptionsalt is that of the empty passphrase"):
        refuse_published("mysite", lab=False, preview=False)
