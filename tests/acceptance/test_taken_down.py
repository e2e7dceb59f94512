"""The end of a site's story."""

import pytest

from tests.acceptance.site import Clock, make

pytestmark = pytest.mark.rack


def test_nothing_is_left_when_it_is_taken_down(clock: Clock) -> None:
    with clock.timing("make down"):
        make("down")
    assert make("leaks", check=False).returncode == 0
