"""What else would have the last word at boot is found, by the scripts of the roles, in a root directory of a test."""

import subprocess
from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from components.machines.roles import boot, kubernetes
from components.templates import shell
from converge.items import File, Script, Unit

pytestmark = pytest.mark.programs

UNIT = "[Unit]\nDescription=an intruder\n[Service]\n{}\n[Install]\nWantedBy=multi-user.target\n"


def found(root: Path, function: str, *files: str) -> list[str]:
    """Return the lines that a function of the roles' shell prints about this root directory."""
    text = f"set -euo pipefail\n{shell(boot.__file__, *files, root=str(root))}\n{function}"
    done = subprocess.run(["bash", "-c", text], text=True, check=True, capture_output=True)
    return done.stdout.splitlines()


def write(root: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def enabled(root: Path, unit: str) -> None:
    subprocess.run(["systemctl", f"--root={root}", "enable", unit], check=True, capture_output=True)


SWAP: list[tuple[str, dict[str, str], str]] = [
    ("by its path", {"etc/systemd/system/fill.service": UNIT.format("ExecStart=/sbin/swapon /s")}, "fill.service"),
    ("by its name", {"etc/systemd/system/fill.service": UNIT.format("ExecStart=swapon -a")}, "fill.service"),
    (
        "in a shell's words",
        {"etc/systemd/system/fill.service": UNIT.format("ExecStart=/bin/sh -c 'mkswap /s && swapon /s'")},
        "fill.service",
    ),
    (
        "before the program",
        {"etc/systemd/system/fill.service": UNIT.format("ExecStartPre=-/sbin/swapon /s\nExecStart=/bin/true")},
        "fill.service",
    ),
    (
        "in a script",
        {
            "etc/systemd/system/tune.service": UNIT.format("ExecStart=/usr/local/sbin/tune --all"),
            "usr/local/sbin/tune": "#!/bin/sh\nmkswap /s\nexec swapon /s\n",
        },
        "tune.service",
    ),
    (
        "in a script that a shell runs",
        {
            "usr/lib/systemd/system/tune.service": UNIT.format("ExecStart=/bin/bash /opt/x-y/tune.sh"),
            "opt/x-y/tune.sh": "if true; then /sbin/swapon /s; fi\n",
        },
        "tune.service",
    ),
]


@pytest.mark.parametrize(("files", "unit"), [row[1:] for row in SWAP], ids=[row[0] for row in SWAP])
def test_unit_that_turns_swap_on_is_named(tmp_path: Path, files: dict[str, str], unit: str) -> None:
    write(tmp_path, files)
    assert found(tmp_path, "starts_swap", "started", "swap") == [], "it is not enabled"
    enabled(tmp_path, unit)
    assert found(tmp_path, "starts_swap", "started", "swap") == [unit]


def test_swap_unit_that_another_target_wants_is_named(tmp_path: Path) -> None:
    unit = "[Swap]\nWhat=/s\n[Install]\nWantedBy=multi-user.target\n"
    write(tmp_path, {"etc/systemd/system/s.swap": unit})
    assert found(tmp_path, "starts_swap", "started", "swap") == []
    enabled(tmp_path, "s.swap")
    assert found(tmp_path, "starts_swap", "started", "swap") == ["s.swap"]


def test_unit_without_a_place_in_the_boot_is_named_when_others_pull_it_in(tmp_path: Path) -> None:
    static = "[Service]\nExecStart=/sbin/swapon /s\n"
    write(tmp_path, {"etc/systemd/system/pulled.service": static})
    assert found(tmp_path, "starts_swap", "started", "swap") == ["pulled.service"]


def test_unit_that_a_timer_starts_is_named(tmp_path: Path) -> None:
    timer = "[Timer]\nOnBootSec=1min\n[Install]\nWantedBy=timers.target\n"
    unit = UNIT.format("ExecStart=/sbin/swapon /s")
    write(tmp_path, {"etc/systemd/system/late.service": unit, "etc/systemd/system/late.timer": timer})
    assert found(tmp_path, "starts_swap", "started", "swap") == []
    enabled(tmp_path, "late.timer")
    assert found(tmp_path, "starts_swap", "started", "swap") == ["late.service"]


def test_table_of_cron_that_turns_swap_on_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"etc/cron.d/fill": "@reboot root /sbin/swapon /s\n", "etc/crontab": "# swapon is not ours\n"})
    assert found(tmp_path, "starts_swap", "started", "swap") == [f"{tmp_path}/etc/cron.d/fill"]


def test_what_only_speaks_of_swap_is_left_alone(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "etc/systemd/system/tidy.service": UNIT.format("ExecStart=/usr/sbin/swapoff --all"),
            "etc/systemd/system/read.service": "# not swapon\n" + UNIT.format("ExecStart=/usr/local/bin/my-swapon-log"),
            "etc/systemd/system/script.service": UNIT.format("ExecStart=/opt/script"),
            "opt/script": "#!/bin/sh\n# swapon was here\nexec true\n",
            "usr/lib/systemd/system/gone.service": UNIT.format("ExecStart=/sbin/swapon /s"),
        },
    )
    for unit in ("tidy.service", "read.service", "script.service", "gone.service"):
        enabled(tmp_path, unit)
    subprocess.run(["systemctl", f"--root={tmp_path}", "mask", "gone.service"], check=True, capture_output=True)
    assert found(tmp_path, "starts_swap", "started", "swap") == []


@pytest.mark.parametrize(
    "commands",
    [
        "ExecStart=/sbin/swapon /s",
        "ExecStart = -/usr/sbin/swapon --all",
        "ExecStartPre=-/sbin/mkswap /s\nExecStart=+swapon -p 5 /s\nExecStop=/sbin/swapoff /s",
    ],
)
def test_unit_that_only_turns_swap_on_is_disabled_at_boot(tmp_path: Path, commands: str) -> None:
    write(tmp_path, {"etc/systemd/system/fill.service": UNIT.format(commands)})
    enabled(tmp_path, "fill.service")
    assert found(tmp_path, "only_turns_swap_on", "started", "swap") == ["fill.service"]


@pytest.mark.parametrize("place", ["etc", "run", "usr/local/lib", "usr/lib"])
def test_unit_with_a_drop_in_is_left_to_an_update(tmp_path: Path, place: str) -> None:
    drop_in = "[Service]\nExecStart=\nExecStart=/bin/true\n"
    write(
        tmp_path,
        {
            "etc/systemd/system/fill.service": UNIT.format("ExecStart=/sbin/swapon /s"),
            f"{place}/systemd/system/fill.service.d/own.conf": drop_in,
        },
    )
    enabled(tmp_path, "fill.service")
    assert found(tmp_path, "only_turns_swap_on", "started", "swap") == []


@pytest.mark.parametrize(
    "commands",
    [
        "ExecStart=/sbin/swapon --show=NAME",
        "ExecStart=/usr/sbin/swapon -s",
        "ExecStart=/bin/sh -c 'swapon --noheadings --show >/run/swap.prom'",
        "ExecStart=/usr/bin/logger swapon is forbidden",
        "ExecStart=/usr/bin/python3 /opt/check.py",
        "ExecStart=/opt/network-and-storage\nExecStartPost=-/sbin/swapon -a",
        "ExecStartPost=-/sbin/auditctl -R /etc/audit/audit.rules",
    ],
)
def test_unit_that_may_do_more_is_left_to_an_update(tmp_path: Path, commands: str) -> None:
    texts = {"opt/check.py": "# after swapon /s\n'swapon /s'\n", "etc/audit/audit.rules": "-w /sbin/swapon -p x\n"}
    write(tmp_path, {"etc/systemd/system/watch.service": UNIT.format(commands), **texts})
    enabled(tmp_path, "watch.service")
    assert found(tmp_path, "starts_swap", "started", "swap") == ["watch.service"]
    assert found(tmp_path, "only_turns_swap_on", "started", "swap") == []


def test_unit_that_was_mended_in_etc_is_not_what_its_package_has(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "usr/lib/systemd/system/fill.service": UNIT.format("ExecStart=/sbin/swapon /s"),
            "etc/systemd/system/fill.service": UNIT.format("ExecStart=/opt/other"),
        },
    )
    enabled(tmp_path, "fill.service")
    assert found(tmp_path, "only_turns_swap_on", "started", "swap") == []


def test_swap_unit_is_disabled_at_boot(tmp_path: Path) -> None:
    unit = "[Swap]\nWhat=/s\n[Install]\nWantedBy=multi-user.target\n"
    write(tmp_path, {"etc/systemd/system/dev-disk-by\\x2duuid-ab.swap": unit})
    enabled(tmp_path, "dev-disk-by\\x2duuid-ab.swap")
    assert found(tmp_path, "only_turns_swap_on", "started", "swap") == ["dev-disk-by\\x2duuid-ab.swap"]


def test_unit_that_cannot_be_disabled_does_not_keep_others(tmp_path: Path) -> None:
    program = tmp_path / "systemctl"
    program.write_text('#!/bin/sh\n[ "$1" = is-enabled ] && echo enabled && exit\n[ "$4" != a.service ]\n')
    program.chmod(0o755)
    shell_text = "set -euo pipefail\n" + shell(kubernetes.__file__, "swap") + "disable_units"
    done = subprocess.run(
        ["bash", "-c", shell_text],
        input="a.service\nb.service\n",
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "b.service\n")


def test_swap_that_comes_all_the_same_goes_off_after_the_boot_and_before_the_kubelet_starts() -> None:
    files = {item.path: item for item in kubernetes.swap_off().items if isinstance(item, File)}
    (drop_in,) = (file.content or "" for path, file in files.items() if "/kubelet.service.d/" in path)
    assert "ExecStartPre=-/usr/sbin/swapoff --all" in drop_in.splitlines()
    guard = next(file.content or "" for path, file in files.items() if path.endswith("henhouse-no-swap.service"))
    (program,) = (path for path, file in files.items() if file.mode == "0755")
    assert {"After=multi-user.target", f"ExecStart={program}"} <= set(guard.splitlines())
    assert "swapoff --all" in (files[program].content or "").splitlines()
    assert Unit("henhouse-no-swap.service", running=None) in kubernetes.swap_off().items


@pytest.mark.parametrize(
    "unit", ["swap.target", "zramswap.service", "systemd-zram-setup@zram0.service", "dphys-swapfile.service"]
)
def test_known_sources_of_swap_are_masked(unit: str) -> None:
    assert Unit(unit, masked=True) in kubernetes.swap_off().items


NETWORKS = {
    "etc/network/interfaces": "auto lo\niface lo inet loopback\nauto eno1\niface eno1 inet dhcp\n",
    "etc/network/interfaces.d/50-cloud-init": "auto eno1\niface eno1 inet dhcp\n",
    "etc/netplan/50-cloud-init.yaml": "network:\n  version: 2\n",
    "etc/systemd/network/10-cloud-init-eno1.network": "[Match]\nName=eno1\n",
    "etc/NetworkManager/system-connections/eno1.nmconnection": "[connection]\nid=eno1\n",
}


@pytest.mark.parametrize("path", NETWORKS)
def test_network_that_cloud_init_has_written_outlives_it(tmp_path: Path, path: str) -> None:
    write(tmp_path, {"usr/bin/cloud-init": "", "proc/cmdline": "quiet\n", path: NETWORKS[path]})
    assert found(tmp_path, "cloud_init_rules", "cloud-init") == []


def test_network_of_cloud_init_alone_is_not_taken_away(tmp_path: Path) -> None:
    files = {"proc/cmdline": "quiet\n", "etc/network/interfaces": "auto lo\niface lo inet loopback\n"}
    write(tmp_path, files)
    assert found(tmp_path, "cloud_init_rules", "cloud-init") == [], "there is no cloud-init"
    write(tmp_path, {"usr/bin/cloud-init": "", "etc/systemd/network/00-henhouse-calico.network": "[Match]\n"})
    (said,) = found(tmp_path, "cloud_init_rules", "cloud-init")
    assert said.startswith("cloud-init alone configures the network")
    write(tmp_path, {"etc/cloud/cloud-init.disabled": ""})
    assert found(tmp_path, "cloud_init_rules", "cloud-init") == []


def test_kernels_command_line_that_brings_cloud_init_back_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"usr/bin/cloud-init": "", "proc/cmdline": "root=/dev/vda1 cloud-init=enabled quiet\n", **NETWORKS})
    (said,) = found(tmp_path, "cloud_init_rules", "cloud-init")
    assert "cloud-init=enabled" in said
    assert "update-grub" in said


def test_last_word_of_apt_is_that_nothing_reboots(tmp_path: Path) -> None:
    """Judged by apt itself, with a site's file that says the opposite and is read before."""
    items = boot.boot(IPv4Address("198.18.0.2")).items
    (ours,) = (item for item in items if isinstance(item, File) and item.path == boot.APT)
    (script,) = (item for item in items if isinstance(item, Script) and item.name == "no unattended reboot")
    parts = tmp_path / "apt.conf.d"
    write(parts, {"50unattended-upgrades": 'Unattended-Upgrade::Automatic-Reboot "true";\n'})

    def check() -> subprocess.CompletedProcess[str]:
        config = tmp_path / "apt.conf"
        config.write_text(f'Dir::Etc::parts "{parts}";\nDir::Etc::main "/dev/null";\n')
        environment = {"APT_CONFIG": str(config), "PATH": "/usr/bin:/bin"}
        command = ["bash", "-euo", "pipefail", "-c", script.check]
        return subprocess.run(command, env=environment, text=True, check=False, capture_output=True)

    assert (check().returncode, check().stdout) == (1, "true\n")
    write(parts, {Path(ours.path).name: ours.content or ""})
    assert (check().returncode, check().stdout) == (0, "false\n")
