"""What would have the last word at the next boot, on a real machine: it is named, put right or refused, and gone."""

from ipaddress import IPv4Address

import pytest

from components.cluster.calico import interfaces
from components.machines.roles import base, boot, kubernetes, time
from converge.items import KernelModule, Sysctl
from converge.role import Role
from tests.converge.scripts import RackShell, site

pytestmark = pytest.mark.hosts

BOOT = boot.boot(IPv4Address("198.18.0.100"))
SERVICE = """
cat >/etc/systemd/system/{name}.service <<'END'
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={command}
[Install]
WantedBy=multi-user.target
END
systemctl enable --quiet {name}.service
"""


def service(name: str, command: str = "/bin/true") -> str:
    """Return shell that puts a unit of this name into the machine's boot."""
    return SERVICE.format(name=name, command=command)


def without(name: str) -> str:
    return f"systemctl disable --quiet {name}.service; rm /etc/systemd/system/{name}.service; systemctl daemon-reload"


@pytest.fixture
def plain(machine: RackShell) -> RackShell:
    """Provide a machine on which a boot changes nothing."""
    assert machine.apply(BOOT).status == 0
    assert machine.check(BOOT).differences == []
    return machine


def test_cloud_init_that_comes_later_finds_itself_off(plain: RackShell) -> None:
    """Its generator looks for this file before it starts anything."""
    plain.run("rm /etc/cloud/cloud-init.disabled; touch /usr/bin/cloud-init; rm -f /etc/systemd/network/x.network")
    assert "file /etc/cloud/cloud-init.disabled" in plain.check(BOOT).found
    assert plain.apply(BOOT).status == 0
    assert plain.check(BOOT).differences == []
    plain.run("rm /usr/bin/cloud-init")


def test_machines_of_the_site_come_back_into_a_hosts_file_that_was_rewritten(machine: RackShell) -> None:
    wanted = ("/etc/hosts", "/etc/henhouse/hosts", "henhouse-hosts")
    every = base.base("chick0", site("dev"), "api.flock.internal").items
    role = Role("base", [item for item in every if any(word in repr(item) for word in wanted)])
    assert machine.apply(role).status == 0
    assert machine.check(role).differences == []
    machine.run("echo '198.18.0.2 hub.flock.internal' >/etc/henhouse/hosts-watch")
    written = "printf '127.0.0.1 localhost\\n127.0.1.1 localhost\\n' >/etc/hosts"
    there = "grep -q api.flock.internal /etc/hosts && grep -q hub.flock.internal /etc/hosts"
    wait = f"for try in $(seq 100); do {there} && break; sleep 0.2; done"
    machine.run(f"{written}; {wait}")
    assert machine.run("getent ahostsv4 api.flock.internal | head -1").stdout.startswith("198.18.0.100 ")
    assert machine.run("getent ahostsv4 hub.flock.internal | head -1").stdout.startswith("198.18.0.2 ")
    machine.run("sed -i '/^127.0.1.1/d' /etc/hosts")
    assert machine.check(role).differences == [], "the lines are the role's own block"
    # At boot: the file was written before anything watched it.
    machine.run(f"systemctl stop henhouse-hosts.path; {written}; systemctl start henhouse-hosts.path")
    machine.run(f"systemctl start henhouse-hosts.service; {wait}")
    machine.run("systemctl start henhouse-hosts.service; sed -i '/^127.0.1.1/d' /etc/hosts")
    assert machine.run("grep -c '# begin: henhouse' /etc/hosts").stdout == "1\n"
    assert machine.run("grep -c hub.flock.internal /etc/hosts").stdout == "1\n"


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("ufw", "mkdir -p /etc/ufw; echo ENABLED=yes >/etc/ufw/ufw.conf"),
        ("firewalld", ":"),
        ("netfilter-persistent", "mkdir -p /etc/iptables; echo '-A INPUT -j ACCEPT' >/etc/iptables/rules.v4"),
    ],
)
def test_second_packet_filter_is_refused_by_name(plain: RackShell, name: str, rules: str) -> None:
    plain.run(service(name))
    if name != "firewalld":
        assert plain.check(BOOT).differences == [], "it is installed, and has no rules"
    plain.run(rules)
    assert plain.check(BOOT).found == {"one packet filter": f"{name}.service"}
    answer = plain.apply(BOOT)
    assert answer.status != 0
    assert f"systemctl disable --now {name}.service" in answer.stderr
    assert "network.openings" in answer.stderr
    plain.run(f"{without(name)}; rm -rf /etc/ufw /etc/iptables")
    assert plain.check(BOOT).differences == []


def test_second_owner_of_the_interface_is_refused_by_name(plain: RackShell) -> None:
    link = plain.run("ip -oneline -4 address show to 198.18.0.100").stdout.split()[1]
    plain.run("mkdir -p /etc/network/interfaces.d")
    plain.run(f"printf 'auto {link}\\niface {link} inet dhcp\\n' >/etc/network/interfaces.d/eth")
    assert plain.check(BOOT).differences == [], "nothing reads the file"
    plain.run(service("networking"))
    owners = f"{link} is configured by systemd-networkd and by ifupdown (/etc/network/interfaces)"
    assert plain.check(BOOT).found == {"one owner of the network interface": owners}
    answer = plain.apply(BOOT)
    assert answer.status != 0
    assert owners in answer.stderr
    plain.run(f"{without('networking')}; rm /etc/network/interfaces.d/eth")
    assert plain.check(BOOT).differences == []


def test_reboot_by_unattended_upgrades_is_switched_off_or_named(plain: RackShell) -> None:
    plain.run("echo 'Unattended-Upgrade::Automatic-Reboot \"true\";' >/etc/apt/apt.conf.d/52mine")
    assert plain.check(BOOT).differences == []
    plain.run("mv /etc/apt/apt.conf.d/52mine /etc/apt/apt.conf")
    assert plain.check(BOOT).found == {"no unattended reboot": "true"}
    answer = plain.apply(BOOT)
    assert "/etc/apt/apt.conf:1:" in answer.stderr
    plain.run("rm /etc/apt/apt.conf")


def test_unit_that_turns_swap_on_is_disabled_and_swap_goes_off_after_everything_else(machine: RackShell) -> None:
    role = kubernetes.swap_off()
    assert machine.apply(role).status == 0
    machine.run("printf '#!/bin/sh\\nswapon /s\\n' >/usr/local/sbin/fill; chmod +x /usr/local/sbin/fill")
    machine.run(service("fill", "/usr/local/sbin/fill"))
    assert machine.check(role).found == {"nothing turns swap on at boot": "fill.service"}
    assert machine.apply(role).status == 0
    assert machine.run("systemctl is-enabled fill.service").stdout == "disabled\n"
    assert machine.check(role).differences == []
    machine.run("systemctl enable fill.service; systemctl start henhouse-no-swap.service")
    assert machine.run("systemctl is-enabled fill.service").stdout == "enabled\n", "its script may only look at swap"
    machine.run(service("fill", "/sbin/swapon /s"))
    # As a boot would find it, where the machine lets its root turn swap on.
    machine.run(
        "dd if=/dev/zero of=/s bs=1M count=8; chmod 600 /s; mkswap /s; systemctl daemon-reload; systemctl restart fill"
    )
    machine.run("systemctl start henhouse-no-swap.service")
    assert machine.run("swapon --noheadings --show=NAME").stdout == ""
    assert machine.run("systemctl is-enabled fill.service").stdout == "disabled\n"
    assert machine.check(role).differences == []
    machine.run("rm /s /etc/systemd/system/fill.service /usr/local/sbin/fill; systemctl daemon-reload")
    assert "multi-user.target" in machine.run("systemctl show --property=After --value henhouse-no-swap").stdout
    assert machine.run("systemd-analyze verify --man=no henhouse-no-swap.service").stderr == ""
    # Every swap unit there is calls it.
    machine.run("printf '[Swap]\\nWhat=/dev/vdz9\\n' >/etc/systemd/system/dev-vdz9.swap; systemctl daemon-reload")
    swap = machine.run("systemctl show --property=Wants,Before dev-vdz9.swap").stdout
    machine.run("rm /etc/systemd/system/dev-vdz9.swap; systemctl daemon-reload")
    assert swap.count("henhouse-no-swap.service") == 2


def test_time_has_one_keeper(machine: RackShell) -> None:
    masked = Role("time", [item for item in time.time("chick0", site("dev")).items if getattr(item, "masked", False)])
    machine.run(service("openntpd") + "cp /etc/systemd/system/openntpd.service /usr/lib/systemd/system/")
    machine.run("systemctl disable openntpd; rm /etc/systemd/system/openntpd.service; systemctl daemon-reload")
    machine.run("systemctl enable --now openntpd")
    assert machine.check(masked).found["unit openntpd.service"] == "enabled, active (exited)"
    machine.apply(masked)
    assert machine.check(masked).differences == []
    machine.run("rm /usr/lib/systemd/system/openntpd.service")


def test_parameter_that_a_later_file_overrides_is_refused_with_the_files_name(machine: RackShell) -> None:
    role = Role("kernel", (Sysctl("net.ipv4.ip_forward", "1"), Sysctl("net/ipv4/conf/lo/rp_filter", "0")))
    machine.run(
        "echo net.ipv4.ip_forward=0 >/etc/sysctl.d/99-hardening.conf; touch /etc/sysctl.d/90-henhouse-kernel.conf"
    )
    machine.apply(role)
    assert machine.check(role).differences == [], "ours is read last"
    assert machine.run("ls /etc/sysctl.d/90-henhouse-kernel.conf").status != 0, "the file of an earlier version goes"
    assert machine.run("/usr/lib/systemd/systemd-sysctl; cat /proc/sys/net/ipv4/ip_forward").stdout == "1\n"
    for line in ("net.ipv4.ip_forward = 0", "-net/ipv4/ip_forward=0"):
        machine.run(f"mkdir -p /run/sysctl.d; echo '{line}' >/run/sysctl.d/zzz.conf")
        found = machine.check(role).found
        overridden = "1, and 0 after the next boot: /run/sysctl.d/zzz.conf is read after henhouse's file"
        assert found == {"sysctl net.ipv4.ip_forward": overridden}
        answer = machine.apply(role)
        assert answer.status != 0
        assert "take net.ipv4.ip_forward out of /run/sysctl.d/zzz.conf" in answer.stderr
    machine.run("ln -sf /dev/null /etc/sysctl.d/zzz.conf")
    assert machine.check(role).differences == [], "a file in /etc of the same name hides it"
    machine.run(
        "rm /run/sysctl.d/zzz.conf /etc/sysctl.d/zzz.conf /etc/sysctl.d/*hardening* /etc/sysctl.d/zz-henhouse-*"
    )


@pytest.mark.parametrize("line", ["blacklist nf_conntrack", "install nf-conntrack /bin/false"])
def test_module_that_modprobe_forbids_is_refused_with_the_files_name(machine: RackShell, line: str) -> None:
    role = Role("modules", (KernelModule("nf_conntrack"),))
    machine.apply(role)
    assert machine.check(role).differences == []
    machine.run(f"mkdir -p /etc/modprobe.d; echo '{line}' >/etc/modprobe.d/cis.conf")
    (found,) = machine.check(role).found.values()
    assert found.endswith(", and not after the next boot: /etc/modprobe.d/cis.conf forbids it")
    answer = machine.apply(role)
    assert "take nf_conntrack out of /etc/modprobe.d/cis.conf" in answer.stderr
    machine.run("rm /etc/modprobe.d/cis.conf")


def test_networkd_leaves_the_interfaces_of_pods_alone(machine: RackShell) -> None:
    """Also where a site's file takes whatever there is."""
    machine.run(
        "printf '[Match]\\nName=*\\n[Network]\\nDHCP=yes\\n' >/etc/systemd/network/zz-all.network; networkctl reload"
    )
    role = Role("calico", tuple(interfaces.left_alone()))
    assert machine.apply(role).status == 0
    assert machine.check(role).differences == []
    machine.run("ip link add cali123 type veth peer name other; ip link set cali123 up; ip link set other up")
    seen = "for link in cali123 other; do networkctl --no-legend list $link; done"
    machine.run(
        "for try in $(seq 50); do networkctl --no-legend list other | grep -qv pending && break; sleep 0.2; done"
    )
    states = dict(line.split()[1::3] for line in machine.run(seen).stdout.splitlines())
    assert states["cali123"] == "unmanaged"
    assert states["other"] != "unmanaged"
    machine.run("ip link del cali123; rm /etc/systemd/network/zz-all.network; networkctl reload")
