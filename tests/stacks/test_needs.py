"""Settings that can each be read and break the site: limits below what a program needs, looks that come late."""

from typing import Any

import pytest

from components.apps.hub.culling import cull_values, inside
from components.cluster.calico.kubeadm import image_collection
from stacks.load import parse_settings
from stacks.problems import SettingsError
from tests.stacks.logins import GITHUB
from tests.stacks.sites import changed, tree

SIZE: dict[str, Any] = {"name": "one", "cpu_limit": 1, "mem_limit": "1Gi"}


def limits(**amounts: Any) -> dict[str, Any]:
    """Return the resources of a pod with these limits."""
    return {"limits": amounts}


def requests(**amounts: Any) -> dict[str, Any]:
    """Return the resources of a pod with these requests."""
    return {"requests": amounts}


def placeholders(**settings: Any) -> dict[str, Any]:
    """Return the settings of a hub with these placeholders."""
    return {"hub": {"scheduling": {"userPlaceholder": settings}}}


def profile(**override: Any) -> dict[str, Any]:
    """Return the settings of a hub with one profile."""
    return {"hub": {"profile_list": [{"display_name": "A", "slug": "a", "kubespawner_override": override}]}}


def cull(**settings: Any) -> dict[str, Any]:
    """Return the settings of a hub that stops servers so."""
    return {"hub": {"cull": settings}}


def of_a_group(kernels_of_group: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """Return the settings of a hub where a group has limits of kernels of its own."""
    return cull(groups=[{"groups": ["a"], "kernels": kernels_of_group}], **settings)


def collection(high: int, low: int | None = None, **cluster: Any) -> dict[str, Any]:
    """Return the settings of a cluster that removes images so."""
    lower = {} if low is None else {"image_gc_low_threshold_percent": low}
    return {"cluster": {"image_gc_high_threshold_percent": high, **lower, **cluster}}


GPU = "nvidia.com/gpu"
OVERRIDE = "hub.profile_list.0.kubespawner_override"
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"hub": {"resources": limits(memory="191Mi")}}, "hub.resources.limits.memory: 191Mi: the hub", "192Mi or more"),
    ({"hub": {"resources": limits(memory="1Ki")}}, "hub.resources.limits.memory: 1Ki: the hub", "192Mi or more"),
    ({"hub": {"resources": limits(cpu="99m")}}, "hub.resources.limits.cpu: 99m: the hub", "100m or more"),
    ({"hub": {"resources": limits(cpu=0.05)}}, "hub.resources.limits.cpu: 0.05: the hub", "100m or more"),
    ({"hub": {"proxy_resources": limits(memory="32Mi")}}, "hub.proxy_resources.limits.memory: 32Mi", "64Mi or more"),
    ({"hub": {"proxy_resources": limits(cpu="10m")}}, "hub.proxy_resources.limits.cpu: 10m", "50m or more"),
    ({"edge": {"resources": limits(memory="16Mi")}}, "edge.resources.limits.memory: 16Mi: nginx", "32Mi or more"),
    ({"edge": {"resources": limits(cpu="1m")}}, "edge.resources.limits.cpu: 1m: nginx", "50m or more"),
    (
        placeholders(resources=limits(memory="1Mi")),
        "hub.scheduling.userPlaceholder.resources.limits.memory: 1Mi: a placeholder",
        "8Mi or more",
    ),
    ({"hub": {"resources": requests(memory="65Ti")}}, "hub.resources.requests.memory: 65Ti: no machine", "64Ti"),
    ({"edge": {"resources": requests(memory="9999Ti")}}, "edge.resources.requests.memory: 9999Ti: no machine", "64Ti"),
    ({"hub": {"size": {"mem_limit": "99Ti", "mem_guarantee": "99Ti"}}}, "hub.size.mem_guarantee: 99Ti: no", "64Ti"),
    ({"hub": {"size": {"cpu_limit": 5000, "cpu_guarantee": 5000}}}, "hub.size.cpu_guarantee: 5000", "2048"),
    ({"hub": {"size": {"cpu_limit": "inf"}}}, "hub.size.cpu_limit: 'inf'", ""),
    ({"hub": {"size": {"cpu_guarantee": "nan"}}}, "hub.size.cpu_guarantee: 'nan'", ""),
    ({"hub": {"sizes": [{**SIZE, "cpu_limit": "inf"}]}}, "hub.sizes.0.cpu_limit: 'inf'", ""),
    (profile(cpu_limit="inf"), f"{OVERRIDE}.cpu_limit: 'inf'", ""),
    ({"hub": {"size": {"mem_limit": "64Mi", "mem_guarantee": "64Mi"}}}, "hub.size.mem_limit: 64Mi: a Jup", "128Mi"),
    ({"hub": {"sizes": [{**SIZE, "mem_limit": "1Mi"}]}}, "hub.sizes.0.mem_limit: 1Mi: a Jupyter server", "128Mi"),
    ({"hub": {"sizes": [{**SIZE, "cpu_limit": 0.01}]}}, "hub.sizes.0.cpu_limit: 0.01: a Jupyter server", "0.05"),
    (profile(cpu_limit=0.001, cpu_guarantee=0.001), f"{OVERRIDE}.cpu_limit: 0.001: a Jupyter server", "0.05 or more"),
    (profile(mem_limit="100Mi", mem_guarantee="1Mi"), f"{OVERRIDE}.mem_limit: 100Mi: a Jupyter server", "128Mi"),
    (placeholders(replicas=1000), "hub.scheduling.userPlaceholder.replicas: 1000 are more pods than", "at most"),
    (
        profile(extra_resource_guarantees={GPU: 1}),
        f"{OVERRIDE}.extra_resource_guarantees.{GPU}: 1 is reserved, and the limit is not given",
        "extra_resource_limits alone",
    ),
    (
        profile(extra_resource_guarantees={GPU: 1}, extra_resource_limits={GPU: 2}),
        f"{OVERRIDE}.extra_resource_guarantees.{GPU}: 1 is reserved, and the limit is 2",
        "the same in both",
    ),
    (profile(extra_resource_limits={"memory": "1Gi"}), f"{OVERRIDE}.extra_resource_limits.memory: has", "mem_limit"),
    (
        profile(extra_resource_guarantees={"cpu": 1}),
        f"{OVERRIDE}.extra_resource_guarantees.cpu: has",
        "cpu_guarantee",
    ),
    (collection(91, eviction_disk_available="10%"), "image_gc_high_threshold_percent: 91 is more than 90", "90"),
    (collection(99, eviction_disk_available="10%"), "image_gc_high_threshold_percent: 99 is more than 90", "100"),
    (collection(51, eviction_disk_available="50%"), "image_gc_high_threshold_percent: 51 is more than 50", "50"),
    (collection(80, 80), "image_gc_low_threshold_percent: 80 is not less", "0 to 79"),
    (collection(80, 90), "image_gc_low_threshold_percent: 90 is not less", "0 to 79"),
    ({"cluster": {"eviction_disk_available": "0%"}}, "cluster.eviction_disk_available: '0%'", ""),
    ({"cluster": {"eviction_disk_available": "0Gi"}}, "cluster.eviction_disk_available: '0Gi'", ""),
    ({"cluster": {"eviction_disk_available": "51%"}}, "cluster.eviction_disk_available: '51%'", ""),
    ({"cluster": {"eviction_disk_available": "150%"}}, "cluster.eviction_disk_available: '150%'", ""),
    ({"cluster": {"bgp": {"as_number": 0}}}, "cluster.bgp.as_number: 0", ""),
    ({"cluster": {"bgp": {"gateway_as_number": 2**32}}}, "cluster.bgp.gateway_as_number: 4294967296", ""),
    (cull(timeout=600, every=601), "hub.cull.every: 601 is more than the shortest limit, 600", "30 to 600"),
    (cull(every=3601), "hub.cull.every: 3601 is more than the shortest limit, 3600", "30 to 3600"),
    (
        cull(every=900, groups=[{"groups": ["a"], "timeout": 300}]),
        "hub.cull.every: 900 is more than the shortest limit, 300",
        "30 to 300",
    ),
    (cull(every=1200, maxAge=900), "hub.cull.every: 1200 is more than the shortest limit, 900", "30 to 900"),
    (
        cull(timeout=604800, maxAge=7200),
        "hub.cull.maxAge: 7200 is less than timeout, 604800",
        "604800",
    ),
    (
        changed(cull(maxAge=7200), {"hub": {"cull_idle_seconds": 7201}}),
        "hub.cull.maxAge: 7200 is less than timeout, 7201: servers in use would be stopped",
        "a maxAge of 7201 and more, or 0 for no limit",
    ),
    (
        cull(groups=[{"groups": ["a"], "timeout": 43200, "maxAge": 3600}]),
        "hub.cull.groups.0.maxAge: 3600 is less than timeout, 43200",
        "43200 and more",
    ),
    (
        cull(maxAge=7200, groups=[{"groups": ["a"], "timeout": 43200}]),
        "hub.cull.groups.0.timeout: 43200 is more than everyone's maxAge, 7200: servers in use would be stopped",
        "a timeout up to 7200, or a maxAge of 43200 and more",
    ),
    (
        cull(timeout=7200, groups=[{"groups": ["a"], "maxAge": 3600}]),
        "hub.cull.groups.0.maxAge: 3600 is less than timeout, 7200",
        "a timeout up to 3600",
    ),
    (cull(maxAge=60), "hub.cull.maxAge: 60 is not more than hub.start_timeout_seconds, 300", "0 for no limit"),
    (
        changed(cull(maxAge=600), profile(start_timeout=900)),
        "hub.cull.maxAge: 600 is not more than hub.profile_list.0.kubespawner_override.start_timeout, 900",
        "0 for no limit",
    ),
    (
        cull(groups=[{"groups": ["a"], "maxAge": 1}]),
        "hub.cull.groups.0.maxAge: 1 is not more than hub.start_timeout_seconds",
        "0 for no limit",
    ),
    (
        cull(kernels={"cull_idle_timeout": 60, "cull_interval": 61}),
        "cull_interval, 61, is more than cull_idle_timeout, 60",
        "",
    ),
    (
        cull(terminals={"cull_inactive_timeout": 60, "cull_interval": 3600}),
        "cull_interval, 3600, is more than cull_inactive_timeout, 60",
        "",
    ),
    (
        of_a_group({"cull_idle_timeout": 60, "cull_interval": 61}),
        "hub.cull.groups.0.kernels.cull_interval: 61 is more than cull_idle_timeout, 60",
        "1 to 60, or nothing",
    ),
    (
        of_a_group({"cull_interval": 3601}, kernels={"cull_idle_timeout": 3600}),
        "hub.cull.groups.0.kernels.cull_interval: 3601 is more than cull_idle_timeout, 3600",
        "1 to 3600, or nothing",
    ),
    (
        of_a_group({"cull_connected": True}),
        "hub.cull.groups.0.kernels: nothing is stopped without cull_idle_timeout",
        "cull_idle_timeout in seconds, here or for everyone (hub.cull.kernels), or no other setting",
    ),
    (
        of_a_group({"cull_idle_timeout": 0, "cull_busy": False}, kernels={"cull_idle_timeout": 3600}),
        "hub.cull.groups.0.kernels: nothing is stopped without cull_idle_timeout",
        "cull_idle_timeout in seconds",
    ),
    (
        cull(groups=[{"groups": ["a"], "terminals": {"cull_inactive_timeout": 60, "cull_interval": 61}}]),
        "hub.cull.groups.0.terminals.cull_interval: 61 is more than cull_inactive_timeout, 60",
        "1 to 60, or nothing",
    ),
    (
        {"hub": {"login": {**GITHUB, "check_seconds": 600, "hold_seconds": 599}}},
        "hub.login.hold_seconds: 599 is less than check_seconds, 600",
        "0 to hold none",
    ),
    ({"monitoring": {"retention_size": "511MB"}}, "monitoring.retention_size: '511MB'", ""),
    ({"monitoring": {"retention_size": "9999999TB"}}, "monitoring.retention_size: '9999999TB'", ""),
    ({"monitoring": {"retention_days": 200000}}, "monitoring.retention_days: 200000", ""),
    ({"edge": {"dns_ttl_seconds": 2**31}}, "edge.dns_ttl_seconds: 2147483648", ""),
]
ALLOWED: list[dict[str, Any]] = [
    collection(85, eviction_disk_available="15%"),  # the kubelet's own defaults
    {"hub": {"login": {**GITHUB, "check_seconds": 600, "hold_seconds": 600}}},
    {"hub": {"resources": {"requests": {"memory": "192Mi"}, "limits": {"memory": "192Mi", "cpu": "100m"}}}},
    {"hub": {"proxy_resources": limits(memory="64Mi", cpu=0.05)}},
    {"edge": {"resources": limits(memory="32Mi", cpu="50m")}},
    placeholders(replicas=110, resources=limits(memory="8Mi", cpu="1m")),
    {"hub": {"size": {"mem_limit": "128Mi", "mem_guarantee": "1Ki", "cpu_limit": 0.05, "cpu_guarantee": 0.001}}},
    {"hub": {"size": {"mem_limit": "64Ti", "mem_guarantee": "64Ti", "cpu_limit": 2048, "cpu_guarantee": 2048}}},
    profile(extra_resource_limits={GPU: 1}),
    profile(extra_resource_guarantees={GPU: 1}, extra_resource_limits={GPU: "1"}),
    profile(extra_resource_guarantees={"ephemeral-storage": "1Gi"}),
    collection(89, 0, eviction_disk_available="10%"),
    collection(100, 99, eviction_disk_available="10%"),
    collection(99, eviction_disk_available="2Gi"),
    {"cluster": {"eviction_disk_available": "50%"}},
    cull(timeout=600, every=600),
    cull(enabled=False, timeout=600, every=601),
    cull(maxAge=301),
    cull(timeout=7200, maxAge=7200),
    cull(enabled=False, timeout=7201, maxAge=7200),
    cull(maxAge=7200, groups=[{"groups": ["a"], "timeout": 43200, "maxAge": 0}]),
    cull(maxAge=7200, groups=[{"groups": ["a"], "kernels": {"cull_idle_timeout": 60}}]),
    cull(kernels={"cull_idle_timeout": 60, "cull_interval": 60}),
    of_a_group({"cull_interval": 60}, kernels={"cull_idle_timeout": 60}),
    of_a_group({"cull_idle_timeout": 60}, kernels={"cull_idle_timeout": 3600, "cull_interval": 600}),
    of_a_group({"cull_idle_timeout": 0}, kernels={"cull_idle_timeout": 3600, "cull_connected": True}),
    of_a_group({"cull_connected": False}, kernels={"cull_idle_timeout": 3600, "cull_connected": True}),
    {"hub": {"login": {**GITHUB, "hold_seconds": 0}}},
    {"monitoring": {"retention_size": "512MB", "retention_days": 36500}},
]


@pytest.mark.parametrize(("changes", "says", "accepted"), REFUSED, ids=lambda value: repr(value)[:80])
def test_what_would_break_the_site_is_refused(changes: dict[str, Any], says: str, accepted: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), changes))
    (problem,) = refused.value.problems
    assert says in str(problem)
    assert accepted in problem.accepted


@pytest.mark.parametrize("changes", ALLOWED, ids=repr)
def test_what_stands_together_is_accepted(changes: dict[str, Any]) -> None:
    parse_settings(changed(tree("dev"), changes))


@pytest.mark.parametrize("percent", range(1, 51))
def test_images_go_before_pods_where_nothing_is_said(percent: int) -> None:
    site = parse_settings(changed(tree("dev"), {"cluster": {"eviction_disk_available": f"{percent}%"}}))
    high, low = image_collection(site.cluster)
    assert low < high < 100 - percent


@pytest.mark.parametrize(
    ("settings", "every"),
    [
        ({}, 900),
        ({"timeout": 60}, 30),
        ({"groups": [{"groups": ["a"], "timeout": 400}]}, 100),
        ({"groups": [{"groups": ["a"], "timeout": 7200}]}, 900),
        ({"maxAge": 400}, 100),
        ({"groups": [{"groups": ["a"], "maxAge": 400}]}, 100),
        ({"every": 31, "groups": [{"groups": ["a"], "timeout": 400}]}, 31),
    ],
)
def test_culler_looks_before_the_shortest_limit_is_long_over(settings: dict[str, Any], every: int) -> None:
    assert cull_values(parse_settings(changed(tree("dev"), cull(**settings))).hub)["every"] == every


def test_servers_look_for_kernels_before_their_time_is_long_over() -> None:
    short, long = {"cull_idle_timeout": 60}, {"cull_inactive_timeout": 3600}
    said = inside(parse_settings(changed(tree("dev"), cull(kernels=short, terminals=long))).hub)
    assert "--MappingKernelManager.cull_interval=60" in said
    assert "--TerminalManager.cull_interval=300" in said
