"""The kinds of items that need a machine with an init system, a package manager and a network of its own."""

import pytest

from components.machines.roles import base, kubernetes
from converge.items import File, KernelModule, Package, Script, Sysctl, Unit
from converge.render import render
from converge.role import Role
from tests.converge.scripts import MACHINE, RackShell

pytestmark = pytest.mark.hosts

# Every test starts it more often than systemd would let it.
UNIT = """\
[Unit]
Description=a test
StartLimitIntervalSec=600
StartLimitBurst=1

[Service]
ExecStart=/usr/bin/sleep infinity
ExecReload=/usr/bin/true

[Install]
WantedBy=multi-user.target
"""
PATH = "/etc/systemd/system/demo.service"
CONFIG = "/etc/demo.conf"

REPOSITORY = """
set -e
mkdir -p /srv/repository && cd /srv/repository
for version in 1.0-1 1.1-1; do
  mkdir -p build/DEBIAN
  printf '%s\\n' >build/DEBIAN/control \\
    'Package: demo' "Version: $version" 'Architecture: all' 'Description: demo' 'Maintainer: a <a@example.org>'
  dpkg-deb --build --root-owner-group build demo_$version.deb
  { dpkg-deb --field demo_$version.deb
    printf 'Filename: ./demo_%s.deb\\nSize: %s\\nSHA256: %s\\n\\n' $version \
      $(stat --format=%s demo_$version.deb) $(sha256sum demo_$version.deb | cut --characters=1-64); } >>Packages
done
echo 'deb [trusted=yes] file:/srv/repository ./' >/etc/apt/sources.list.d/test.list
"""


def service(config: str = "a\n", *, reload: bool = False) -> Role:
    return Role(
        "demo",
        (
            File(CONFIG, config),
            File(PATH, UNIT),
            Unit("demo.service", restart_on=(CONFIG, PATH), reload=reload),
        ),
    )


def invocation(machine: RackShell) -> str:
    """Return the service's invocation ID, which changes with every start (systemd.exec(5))."""
    return machine.run("systemctl show --property=InvocationID --value demo.service").stdout


@pytest.fixture
def demo(machine: RackShell) -> RackShell:
    """Provide a machine on which the demo service runs."""
    assert machine.apply(service()).status == 0
    return machine


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("systemctl stop demo", "enabled, inactive (dead)"),
        ("systemctl disable demo", "disabled, active"),
        ("systemctl stop demo; rm /etc/systemd/system/demo.service; systemctl mask demo", "masked, inactive (dead)"),
    ],
)
def test_service_is_brought_back(demo: RackShell, damage: str, found: str) -> None:
    demo.run(damage)
    assert demo.check(service()).found["unit demo.service"] == found
    demo.apply(service())
    assert demo.check(service()).differences == []
    assert demo.run("systemctl is-active demo; systemctl is-enabled demo").stdout == "active\nenabled\n"


def test_service_is_not_restarted_when_nothing_changed(demo: RackShell) -> None:
    before = invocation(demo)
    assert demo.apply(service()).stderr == ""
    assert invocation(demo) == before


def test_service_is_restarted_when_its_file_changed(demo: RackShell) -> None:
    before = invocation(demo)
    demo.apply(service("b\n"))
    assert invocation(demo) != before
    assert demo.check(service("b\n")).differences == []


def test_clock_that_was_set_back_hides_no_change(demo: RackShell) -> None:
    """The start of a service then lies in the future of every note that is made of its files."""
    before = invocation(demo)
    in_the_seventies = "unset EPOCHSECONDS; EPOCHSECONDS=1000\n"
    answer = demo.run(in_the_seventies + render(service("set back\n"), MACHINE))
    assert answer.status == 0, answer.stderr
    assert invocation(demo) != before
    assert demo.check(service("set back\n")).differences == []


def test_change_that_a_restart_by_hand_has_seen_to_restarts_nothing(demo: RackShell) -> None:
    file, unit, _ = service("by hand\n").items
    demo.apply(Role("demo", (file, unit, Script("cut", "false", "exit 1"), service().items[2])))
    demo.run("systemctl reset-failed demo; systemctl restart demo")
    by_hand = invocation(demo)
    assert demo.check(service("by hand\n")).differences == []
    demo.apply(service("by hand\n"))
    assert invocation(demo) == by_hand


@pytest.mark.parametrize(("seconds_after_start", "restarted"), [(1, True), (-3600, False)])
def test_note_of_an_older_henhouse_counts(demo: RackShell, seconds_after_start: int, restarted: bool) -> None:
    """It has the time of the change: of what started before, and of nothing else, something is to be done."""
    before = invocation(demo)
    demo.run(f"echo $(($(date +%s) + {seconds_after_start})) >/run/henhouse/restart-demo.service")
    demo.apply(service())
    assert (invocation(demo) != before) is restarted
    demo.run("rm -f /run/henhouse/restart-demo.service")


def test_service_of_another_owner_is_reloaded_when_it_runs_and_left_alone_otherwise(demo: RackShell) -> None:
    def role(config: str) -> Role:
        unit = Unit("demo.service", enabled=None, running=None, restart_on=(CONFIG,), reload=True)
        return Role("other", (File(CONFIG, config), unit))

    before = invocation(demo)
    assert "with an older configuration" in demo.apply(role("of another\n")).stderr
    assert invocation(demo) == before
    demo.run("systemctl disable --now demo")
    demo.apply(role("once more\n"))
    assert demo.check(role("once more\n")).differences == []
    assert demo.run("systemctl is-active demo; systemctl is-enabled demo").stdout == "inactive\ndisabled\n"


def test_service_is_reloaded_where_that_is_enough(demo: RackShell) -> None:
    before = invocation(demo)
    assert "with an older configuration" in demo.apply(service("c\n", reload=True)).stderr
    assert invocation(demo) == before
    assert demo.check(service("c\n", reload=True)).differences == []


def test_restart_that_an_interruption_skipped_happens_in_the_next_run(demo: RackShell) -> None:
    file, unit, demo_service = service("d\n").items
    before = invocation(demo)
    assert demo.apply(Role("demo", (file, unit, Script("cut", "false", "exit 1"), demo_service))).status != 0
    assert invocation(demo) == before
    assert demo.check(service("d\n")).found == {"unit demo.service": "enabled, active with an older configuration"}
    demo.apply(service("d\n"))
    assert invocation(demo) != before


def test_systemd_knows_what_became_of_the_units(demo: RackShell) -> None:
    template = File("/etc/systemd/system/other@.service", UNIT)
    timer = File("/etc/systemd/system/demo.timer", "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n")
    drop_in = File("/etc/systemd/system/ssh.service.d/demo.conf", "[Service]\nNice=7\n")
    demo.apply(Role("units", (template, timer, Unit("demo.timer"), Unit("demo.service"), drop_in)))
    known = demo.run(
        "systemctl show --property=NeedDaemonReload --value demo.service demo.timer ssh.service;"
        "systemctl show --property=Nice --value ssh.service;"
        "systemctl show --property=Wants --value timers.target"
    ).stdout.split()
    assert known[:4] == ["no", "no", "no", "7"]
    assert "demo.timer" in known


def test_masked_service_neither_runs_nor_starts(demo: RackShell) -> None:
    role = Role("masked", (Unit("systemd-timesyncd.service", masked=True), Unit("cron.service", masked=True)))
    demo.apply(role)
    demo.run("systemctl unmask cron.service")
    assert list(demo.check(role).found) == ["unit cron.service"]
    demo.apply(role)
    assert demo.check(role).differences == []


def test_stopped_service_stays_stopped(demo: RackShell) -> None:
    role = Role("stopped", (Unit("demo.service", enabled=False, running=False),))
    demo.apply(role)
    assert demo.check(role).differences == []
    demo.run("systemctl reset-failed demo; systemctl enable --now demo")
    assert demo.check(role).found == {"unit demo.service": "enabled, active (running)"}


def test_service_that_does_not_start_is_named(machine: RackShell) -> None:
    unit = UNIT.replace("ExecStart=/usr/bin/sleep infinity", "Type=oneshot\nExecStart=/usr/bin/false")
    path = "/etc/systemd/system/broken.service"
    answer = machine.apply(Role("broken", (File(path, unit), Unit("broken.service"))))
    assert answer.status != 0
    assert "henhouse: chick0: broken: unit broken.service: failed" in answer.stderr
    machine.run(f"rm {path}; systemctl daemon-reload; systemctl disable broken; systemctl reset-failed")


def test_kernel_parameter_is_set_now_and_after_a_boot(machine: RackShell) -> None:
    role = Role("kernel", (Sysctl("net.ipv4.ip_forward", "1"), Sysctl("net.ipv4.ping_group_range", "0 10")))
    machine.apply(role)
    assert machine.run("cat /proc/sys/net/ipv4/ip_forward /etc/sysctl.d/zz-henhouse-kernel.conf").stdout == (
        "1\nnet.ipv4.ip_forward = 1\nnet.ipv4.ping_group_range = 0 10\n"
    )
    machine.run("echo 0 >/proc/sys/net/ipv4/ip_forward; echo 0 11 >/proc/sys/net/ipv4/ping_group_range")
    assert machine.check(role).found == {
        "sysctl net.ipv4.ip_forward": "0",
        "sysctl net.ipv4.ping_group_range": "0 11",
    }
    machine.apply(role)
    assert machine.check(role).differences == []


def test_parameter_that_the_kernel_lacks_is_named(machine: RackShell) -> None:
    answer = machine.apply(Role("kernel", (Sysctl("net.ipv4.no_such_thing", "1"),)))
    assert "henhouse: chick0: kernel: sysctl net.ipv4.no_such_thing: failed" in answer.stderr
    machine.run("rm /etc/sysctl.d/zz-henhouse-kernel.conf")


def test_module_is_listed_for_the_next_boot(machine: RackShell) -> None:
    role = Role("modules", (KernelModule("overlay"),))
    machine.apply(role)
    machine.run("rm /etc/modules-load.d/90-henhouse-modules.conf")
    assert machine.check(role).found == {"file /etc/modules-load.d/90-henhouse-modules.conf": "no file"}
    machine.apply(role)
    assert machine.check(role).differences == []


def test_package_is_installed_held_and_moved_to_another_version(machine: RackShell) -> None:
    assert machine.run(REPOSITORY).status == 0
    old, new = (Role("packages", (Package("demo", version, held=True),)) for version in ("1.0-*", "1.1-1"))
    installed = "dpkg-query --show --showformat='${db:Status-Want} ${Version}' demo"

    assert machine.check(old).found == {"package demo": "not-installed"}
    assert machine.apply(old).status == 0, "the lists did not know the package, and are fetched again"
    assert machine.run(installed).stdout == "hold 1.0-1"
    assert machine.apply(old).stderr == ""

    machine.run("apt-mark unhold demo")
    assert machine.check(old).found == {"package demo": "1.0-*"}
    machine.apply(old)
    assert machine.run(installed).stdout == "hold 1.0-1"

    assert machine.check(new).found == {"package demo": "1.0-1, held"}
    assert machine.apply(new).status == 0
    assert machine.run(installed).stdout == "hold 1.1-1"

    machine.run("dpkg --remove --force-hold demo")
    assert machine.check(new).found == {"package demo": "not-installed"}
    machine.apply(new)
    assert machine.check(new).differences == []


def test_packages_that_no_source_has_are_named(machine: RackShell) -> None:
    answer = machine.apply(Role("packages", (Package("no-such-package"), Package("nor-this"))))
    assert "henhouse: chick0: packages: packages no-such-package nor-this: failed" in answer.stderr
    assert "Unable to locate package" in answer.stderr


def test_swap_stays_off(machine: RackShell) -> None:
    role = kubernetes.swap_off()
    machine.apply(role)
    assert machine.check(role).differences == []
    machine.run("echo 'LABEL=swap none swap sw 0 0' >>/etc/fstab; systemctl unmask swap.target")
    assert machine.check(role).found == {
        "line of /etc/fstab": "LABEL=swap none swap sw 0 0",
        "unit swap.target": "static, inactive",
    }
    machine.apply(role)
    assert machine.check(role).differences == []


def test_only_keys_log_in(machine: RackShell) -> None:
    role = base.ssh()
    machine.apply(role)
    assert machine.check(role).differences == []
    machine.run("echo 'PasswordAuthentication yes' >/etc/ssh/sshd_config.d/00-cloud.conf")
    assert machine.check(role).found == {"no other file lets passwords in": "it does not hold"}
    answer = machine.apply(role)
    assert answer.status != 0
    assert "/etc/ssh/sshd_config.d/00-cloud.conf:1:PasswordAuthentication yes" in answer.stderr
    machine.run("rm /etc/ssh/sshd_config.d/00-cloud.conf")


def test_machine_tells_what_it_is(machine: RackShell) -> None:
    facts = machine.apply(base.identity()).facts
    assert len(facts["machine_id"]) == 32
    assert facts["os"].startswith("Debian GNU/Linux 13")
    assert facts["kernel"] == machine.run("uname -r").stdout.strip()
