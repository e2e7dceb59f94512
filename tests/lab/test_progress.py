"""How long work is shown: as plain lines where the output is not a terminal."""

import re

import pytest

from lab.progress import plan, step


def test_stages_are_numbered_timed_and_estimated(capfd: pytest.CaptureFixture[str]) -> None:
    with plan(["go-kubernetes", "boot-qemu:hen"]):
        with step("building kubernetes", "go-kubernetes"):
            pass
        with step("hen: booting", "boot-qemu:hen"):
            pass
    lines = capfd.readouterr().err.splitlines()
    assert lines[0].strip() == "…  [ 1/2] building kubernetes"
    assert re.fullmatch(
        r" +0\.\d s  \[ 1/2\] building kubernetes \((about \d+ min|less than a minute) left\)", lines[1]
    )
    assert re.fullmatch(r" +0\.\d s  \[ 2/2\] hen: booting", lines[3]), "nothing is left"


def test_step_outside_the_plan_has_no_number(capfd: pytest.CaptureFixture[str]) -> None:
    with plan(["go-kubernetes"]), step("taking down the rack"):
        pass
    assert "[" not in capfd.readouterr().err


def test_failed_step_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="no space"), plan(["pulumi"]), step("building pulumi", "pulumi"):
        raise OSError("no space")
    assert "failed  [ 1/1] building pulumi" in capfd.readouterr().err


def test_surprising_stage_is_counted(capfd: pytest.CaptureFixture[str]) -> None:
    """What was thought to be in the cache, and was removed meanwhile."""
    with plan(["pulumi"]), step("building runc", "go-runc"):
        pass
    assert "[ 1/2] building runc" in capfd.readouterr().err
