"""Checks of Kubernetes' own settings."""

from collections.abc import Iterator
from typing import Final

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import Site

OFF: Final = 100
"""The kubelet's threshold at which it never removes images for want of room."""


def image_collection_in_order(site: Site) -> Iterator[Problem]:
    """Refuse thresholds with which the kubelet would not start: it ends to remove images below where it begins."""
    high, low = site.cluster.image_gc_high_threshold_percent, site.cluster.image_gc_low_threshold_percent
    if low is None:
        return
    path = "cluster.image_gc_low_threshold_percent"
    if high is None:
        yield Problem(
            path,
            f"{low}: needs cluster.image_gc_high_threshold_percent beside it",
            accepted="both, or high alone: low is then 5 less",
        )
    elif low >= high:
        yield Problem(
            path, f"{low} is not less than image_gc_high_threshold_percent, {high}", accepted=f"0 to {high - 1}"
        )


def images_go_before_pods(site: Site) -> Iterator[Problem]:
    """Refuse a threshold that the disk never reaches: before that, the kubelet evicts pods."""
    high, available = site.cluster.image_gc_high_threshold_percent, site.cluster.eviction_disk_available
    if high is None or high == OFF or not available.endswith("%"):
        return
    full = 100 - int(available.removesuffix("%"))
    if high > full:
        yield Problem(
            "cluster.image_gc_high_threshold_percent",
            f"{high} is more than {full}, where pods are evicted (eviction_disk_available, {available})",
            accepted=f"1 to {full}, or {OFF}: eviction then removes unused images, before it stops a pod",
        )


CHECKS: Final[tuple[Check, ...]] = (image_collection_in_order, images_go_before_pods)
