"""When a control plane renews its certificates, and when the stack reads the administrator's kubeconfig again."""

from collections.abc import Callable

import pytest
import yaml

from components.certificates import spec_path
from components.cluster.calico import kubeadm
from components.cluster.calico.certificates import GROUP, certificates_role, interval_seconds, reading, spec
from components.cluster.calico.roles import INIT_CONFIG, administrator_role, control_plane_role
from converge.items import File, Script, Unit
from converge.role import Role
from programs.certificates.spec import Spec
from stacks.load import parse_settings
from stacks.settings import Site
from tests.components.cluster.calico.conftest import NOW
from tests.recorded import Recorded
from tests.stacks.sites import changed, tree

DAY = 24 * 3600
YEAR = 365 * DAY
ADMINISTRATOR = "chick0-administrator-command"


def inputs(recorded: Recorded) -> dict[str, object]:
    return {each.name: each.inputs for each in recorded}


def differing(one: Recorded, other: Recorded) -> set[str]:
    before, after = inputs(one), inputs(other)
    assert before.keys() == after.keys()
    return {name for name in before if before[name] != after[name]}


def test_period_changes_one_command_and_what_it_reads(cluster: Callable[..., Recorded]) -> None:
    first = cluster(now=NOW)
    begun = NOW - NOW % (YEAR / 4)
    assert differing(first, cluster(now=begun + 1)) == set()
    assert differing(first, cluster(now=begun + YEAR / 4 - 1)) == set()
    assert differing(first, cluster(now=begun + YEAR / 4)) == {ADMINISTRATOR}
    # As the preview has it, in which the kubeconfig is not known yet.
    assert differing(first, cluster(now=begun + YEAR / 4, unknown=[ADMINISTRATOR])) == {ADMINISTRATOR, "flock-provider"}


def test_kubeconfig_is_read_after_it_may_have_been_renewed(cluster: Callable[..., Recorded]) -> None:
    recorded = cluster()
    assert "chick0-certificates-command" in recorded.one(ADMINISTRATOR).depends_on_names
    assert "chick0-control-plane-command" in recorded.one("chick0-certificates-command").depends_on_names


@pytest.mark.parametrize(
    ("lifetime", "seconds", "interval"),
    [("365d", YEAR, DAY), ("20m", 1200, 50), ("12h", 12 * 3600, 1800), ("90d", 90 * DAY, DAY)],
)
def test_setting_reaches_kubeadm_and_the_timer(lifetime: str, seconds: int, interval: int) -> None:
    site = with_lifetime(lifetime)
    documents = {each["kind"]: each for each in yaml.safe_load_all(kubeadm.init_configuration(site))}
    assert documents["ClusterConfiguration"]["certificateValidityPeriod"] == f"{seconds}s"
    told = spec(site, "chick0").renewal
    assert told is not None
    assert (told.lifetime_seconds, told.interval_seconds) == (seconds, interval)
    files = files_of(certificates_role(site, "chick0"))
    assert f"OnUnitInactiveSec={interval}s\n" in files["/etc/systemd/system/henhouse-renewal.timer"]
    assert told.config == INIT_CONFIG
    assert INIT_CONFIG in files_of(control_plane_role(site))


def test_another_lifetime_reads_the_kubeconfig_again() -> None:
    one, other = (administrator_role(reading(seconds, NOW)) for seconds in (YEAR, 1200))
    assert one != other


@pytest.mark.parametrize("lifetime", [1200, 12 * 3600, YEAR])
def test_timer_looks_more_than_once_between_a_third_and_a_quarter(lifetime: int) -> None:
    assert 1.5 * interval_seconds(lifetime) < lifetime / 3 - lifetime / 4


def test_timer_takes_the_lock_of_the_roles(site: Site) -> None:
    unit = files_of(certificates_role(site, "chick0"))["/etc/systemd/system/henhouse-renewal.service"]
    assert (
        "ExecStart=/usr/bin/flock --timeout 900 /run/henhouse/lock /usr/local/sbin/henhouse-certificates renew" in unit
    )


def test_what_the_machine_is_told_is_read_back(site: Site) -> None:
    told = spec(site, "chick0")
    text = files_of(certificates_role(site, "chick0"))[spec_path(GROUP)]
    (path,) = [path for path in files_of(certificates_role(site, "chick0")) if path == spec_path(GROUP)]
    assert path.endswith(f"/{told.name}.json")
    assert Spec.parse(text) == told


def test_every_component_is_started_with_certificates_that_are_known(site: Site) -> None:
    told = spec(site, "chick0")
    assert told.renewal is not None
    assert list(told.renewal.components) == ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]
    for component in told.renewal.components.values():
        assert set(component.certificates) <= told.certificates.keys()


def test_edited_lifetime_is_checked_before_the_timer_looks(site: Site) -> None:
    items = certificates_role(site, "chick0").items
    (script,) = [item for item in items if isinstance(item, Script)]
    timers = [item for item in items if isinstance(item, Unit)]
    assert items.index(script) < items.index(timers[-1])
    assert timers[-1].restart_on == ("/etc/systemd/system/henhouse-renewal.timer",)


def files_of(role: Role) -> dict[str, str]:
    return {item.path: item.content or "" for item in role.items if isinstance(item, File)}


def with_lifetime(lifetime: str) -> Site:
    return parse_settings(changed(tree("dev"), {"cluster": {"certificate_lifetime": lifetime}}))
