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
    require("mysite", {"PULUMI_CONFIG_PASSPHRASE": ""})
    require("mysite", {"PULUMI_CONFIG_PASSPHRASE_FILE": "/run/passphrase"})
    (directory / "Pulumi.mysite.yaml").write_text("secretsprovider: awskms://alias/site\n")
    require("mysite", {})
