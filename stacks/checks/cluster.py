"""Checks of Kubernetes' own settings."""

from collections.abc import Iterator
from typing import Final

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import Site


def image_collection_in_order(site: Site) -> Iterator[Problem]:
    """Refuse thresholds with which the kubelet would not start: it ends to remove images below where it begins."""
    high, low = site.cluster.image_gc_high_threshold_percent, site.cluster.image_gc_low_threshold_percent
    if low is None:
        return
    path = "cluster.image_gc_low_threshold_percent"
    if high is None:
        yield Problem(path, f"{low}: needs cluster.image_gc_high_threshold_percent beside it")
    elif low >= high:
        yield Problem(path, f"{low} is not less than image_gc_high_threshold_percent, {high}")


CHECKS: Final[tuple[Check, ...]] = (image_collection_in_order,)
