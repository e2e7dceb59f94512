"""Certificates of the real kubeadm, renewed and restarted with."""

import hashlib
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from components.cluster.calico.certificates import DELAY_SECONDS, READS, interval_seconds
from lab.mirror.programs import KUBERNETES
from programs.certificates import metrics, renewal
from programs.certificates.dates import Unreadable, Validity, validity
from programs.certificates.health import complaint
from programs.certificates.processes import Processes
from programs.certificates.renewal import Failed, Renewer, due
from programs.certificates.spec import Certificate, Renewal, Spec
from tests.certificates import Authority
from tests.programs.certificates.control_plane import Files, static_pods
from tests.stacks.sites import ROOT

YEAR, DAY = 365 * 24 * 3600, 24 * 3600


def settings(lifetime: int, interval: int) -> Renewal:
    return Renewal("init.yaml", lifetime, interval, "before", {})


@pytest.mark.parametrize(
    ("begins", "ends", "lifetime", "interval", "is_due"),
    [
        # A year's certificate, on its first day and on both sides of a third.
        (0, YEAR, YEAR, DAY, False),
        (-2 * YEAR // 3 + 60, YEAR // 3 + 60, YEAR, DAY, False),
        (-2 * YEAR // 3 - 60, YEAR // 3 - 60, YEAR, DAY, True),
        # It has ended.
        (-2 * YEAR, -YEAR, YEAR, DAY, True),
        # Twenty minutes: kubeadm dates them back by five.
        (-300, 1200, 1200, 50, False),
        (-900, 600, 1200, 50, False),
        (-1020, 480, 1200, 50, True),
        # The setting was a year and is twenty minutes, and the other way round.
        (0, YEAR, 1200, 50, True),
        (-300, 1200, YEAR, DAY, True),
        # An older kubeadm's certificate begins with the authority.
        (-YEAR, YEAR, YEAR, DAY, False),
    ],
)
def test_a_certificate_is_due(begins: int, ends: int, lifetime: int, interval: int, is_due: bool) -> None:
    found = due("a", Validity(begins, ends), settings(lifetime, interval), 0)
    assert (found is not None) == is_due, found


def test_a_check_gives_the_timer_time_and_an_edit_none() -> None:
    a_third = Validity(-2 * YEAR // 3 - 60, YEAR // 3 - 60)
    assert due("a", a_third, settings(YEAR, DAY), 0, grace=2 * DAY) is None
    assert due("a", a_third, settings(YEAR, DAY), 3 * DAY, grace=2 * DAY)
    assert due("a", Validity(-300, 1200), settings(YEAR, DAY), 0, grace=2 * DAY)


@pytest.mark.parametrize("lifetime", [1200, 3600, 30 * DAY, YEAR])
def test_what_a_stack_has_read_lasts_until_it_reads_again(lifetime: int) -> None:
    """Whenever it reads in a period, the certificate lasts to the end of the period; the clock goes in small steps."""
    interval = interval_seconds(lifetime)
    late = interval + min(DELAY_SECONDS, interval // 2)
    # The worst certificate that is ever found: nearly due at one look, and renewed at the next.
    assert lifetime / renewal.SHARE - late > lifetime / READS


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files.made(tmp_path, "20m")


@pytest.fixture
def ending(tmp_path: Path) -> Files:
    """Provide a control plane whose certificates last for another half a minute."""
    return Files.made(tmp_path, "20m", first="30s")


def run(files: Files, spec: Spec, verb: str = "renew") -> subprocess.CompletedProcess[str]:
    (files.root / "spec.json").write_text(spec.text())
    environment = os.environ | {"PYTHONPATH": str(ROOT / "programs"), "PATH": f"{files.bin}:{os.environ['PATH']}"}
    command = [sys.executable, "-B", "-m", "certificates", verb, str(files.root / "spec.json")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def digests(files: Files) -> dict[str, str]:
    there = [path for path in files.at("/etc/kubernetes").rglob("*") if path.is_file()]
    return {str(path.relative_to(files.root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in there}


def left(spec: Spec) -> dict[str, float]:
    """Seconds that each of kubeadm's certificates still has."""
    found = {}
    for name, certificate in spec.certificates.items():
        seen = validity(Path(certificate.path))
        if certificate.renewer == renewal.RENEWER:
            assert seen is not None, name
            found[name] = seen.ends - time.time()
    return found


@pytest.mark.programs
def test_certificates_with_much_life_left_are_left_alone(files: Files) -> None:
    before = digests(files)
    assert run(files, files.spec("20m"), "check").returncode == 0
    done = run(files, files.spec("20m"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert digests(files) == before


@pytest.mark.programs
def test_certificates_of_twenty_minutes_are_renewed(ending: Files) -> None:
    spec, before = ending.spec("20m"), digests(ending)
    assert all(seconds < 60 for seconds in left(spec).values())
    checked = run(ending, spec, "check")
    assert (checked.returncode, digests(ending)) == (1, before)
    assert "API server ends in" in checked.stdout
    done = run(ending, spec)
    assert done.returncode == 0, done.stderr
    assert len(left(spec)) == 11
    assert all(1100 < seconds <= 1200 for seconds in left(spec).values()), left(spec)
    assert not ending.at("/etc/kubernetes/henhouse/certificates-before").exists()
    # The authorities, and what pods and people trust by them, stay.
    assert {path for path, digest in digests(ending).items() if before.get(path) == digest} == {
        "etc/kubernetes/henhouse/init.yaml",
        *(f"etc/kubernetes/pki/{name}" for name in ("ca.crt", "ca.key", "front-proxy-ca.crt", "front-proxy-ca.key")),
        *("etc/kubernetes/pki/etcd/ca.crt", "etc/kubernetes/pki/etcd/ca.key"),
        *("etc/kubernetes/pki/sa.key", "etc/kubernetes/pki/sa.pub", "etc/kubernetes/kubelet.conf"),
    }
    assert run(ending, spec, "check").returncode == 0
    after = digests(ending)
    assert run(ending, spec).returncode == 0
    assert digests(ending) == after


@pytest.mark.programs
@pytest.mark.parametrize(("before", "after", "seconds"), [("20m", "30d", 30 * DAY), ("30d", "20m", 1200)])
def test_another_lifetime_is_taken_at_once(tmp_path: Path, before: str, after: str, seconds: int) -> None:
    made = Files.made(tmp_path, before)
    made.configure(after)
    assert run(made, made.spec(after), "check").returncode == 1
    done = run(made, made.spec(after))
    assert done.returncode == 0, done.stderr
    assert all(seconds - 100 < each <= seconds for each in left(made.spec(after)).values())


@pytest.mark.programs
@pytest.mark.parametrize("cut", ["kill -KILL $PPID", "exit 1"])
def test_renewal_that_is_cut_short_leaves_pairs_that_fit(ending: Files, cut: str) -> None:
    """kubeadm writes a key, then its certificate, and neither at once."""
    spec, before = ending.spec("20m"), digests(ending)
    real = ending.bin / "kubeadm"
    kept = real.read_text()
    pki = ending.at("/etc/kubernetes/pki")
    real.write_text(
        f"#!/bin/bash\n: >{pki}/apiserver.key\nhead -c 100 {pki}/apiserver.crt | tee {pki}/apiserver.crt\n{cut}\n"
    )
    assert run(ending, spec).returncode != 0
    if cut == "exit 1":
        assert digests(ending) == before
    real.write_text(kept)
    done = run(ending, spec)
    assert done.returncode == 0, done.stderr
    assert all(1100 < seconds <= 1200 for seconds in left(spec).values())
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pki / "apiserver.crt", pki / "apiserver.key")


@pytest.mark.programs
def test_static_pods_are_restarted_one_after_the_other(tmp_path: Path) -> None:
    outliving = Files.made(tmp_path, "20m", first="3600s")
    said: list[str] = []
    with static_pods(outliving, "20m") as (spec, kubelet):
        assert spec.renewal is not None
        order = list(spec.renewal.components)
        wait_for(lambda: well(spec) == order, outliving)
        before = {name: kubelet.of(name) for name in order}

        def say(line: str) -> None:
            said.append(line)
            if line.startswith("restarting "):
                earlier = order[: order.index(line.removeprefix("restarting "))]
                assert set(earlier) <= set(well(spec))

        renewer = Renewer(spec, spec.renewal, kubeadm=str(outliving.bin / "kubeadm"), processes=kubelet, say=say)
        renewer.renew()
        # One that ended by itself while the API server was away is not ended again.
        assert restarted(said) == [name for name in order if name in restarted(said)]
        assert restarted(said)[:2] == ["etcd", "kube-apiserver"]
        wait_for(lambda: well(spec, shown=True) == order, outliving)
        after = {name: kubelet.of(name) for name in order}
        assert not set(before.values()) & set(after.values())

        said.clear()
        renewer.renew()
        assert (said, list(renewer.complaints())) == ([], [])
        assert {name: kubelet.of(name) for name in order} == after

        # Cut short after kubeadm had renewed: what is older than its certificate is restarted, and nothing else.
        scheduler = spec.certificates["scheduler"].path
        os.utime(scheduler)
        assert list(renewer.complaints()) == ["kube-scheduler runs with an older certificate"]
        renewer.renew()
        assert restarted(said) == ["kube-scheduler"]

        # A clock that was ahead: it is restarted once, not at every look.
        os.utime(scheduler, (time.time() + DAY,) * 2)
        renewer.renew()
        assert list(renewer.complaints()) == []

        # No other control plane may be on its way at the same time.
        os.utime(scheduler)
        apart = replace(spec.renewal, peers=("https://127.0.0.1:1",))
        with pytest.raises(Failed, match="while another control plane is not well"):
            Renewer(spec, apart, processes=kubelet, say=say).renew()


@pytest.mark.programs
def test_control_plane_whose_certificates_have_ended_comes_back(ending: Files) -> None:
    with static_pods(ending, "20m") as (spec, kubelet):
        assert spec.renewal is not None
        wait_for(lambda: all(seconds < -1 for seconds in left(spec).values()), ending)
        assert "etcd" not in well(spec)
        assert "kube-apiserver" not in well(spec)
        Renewer(spec, spec.renewal, kubeadm=str(ending.bin / "kubeadm"), processes=kubelet).renew()
        assert well(spec, shown=True) == list(spec.renewal.components)


def well(spec: Spec, *, shown: bool = False) -> list[str]:
    """Return the components that are well."""
    assert spec.renewal is not None
    return [name for name, each in spec.renewal.components.items() if complaint(each, shown=shown) is None]


def restarted(said: list[str]) -> list[str]:
    return [line.removeprefix("restarting ") for line in said if line.startswith("restarting ")]


def wait_for(condition: Callable[[], bool], files: Files) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline, {path.name: path.read_text()[-1500:] for path in files.root.glob("*.log")}
        time.sleep(0.3)


@pytest.mark.programs
def test_dates_are_those_that_kubeadm_tells(files: Files) -> None:
    program = KUBERNETES.artifact.make() / "kubeadm"
    told = subprocess.run(
        [program, f"--rootfs={files.root}", "certs", "check-expiration", "--config=/etc/kubernetes/henhouse/init.yaml"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name, certificate in files.spec("20m").certificates.items():
        seen = validity(Path(certificate.path))
        if name != "kubelet":
            assert seen is not None
            assert time.strftime("%b %d, %Y %H:%M UTC", time.gmtime(seen.ends)) in told, name


def test_what_holds_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.crt").touch()
    with pytest.raises(Unreadable, match=r"empty\.crt holds no certificate"):
        validity(tmp_path / "empty.crt")
    (tmp_path / "x.crt").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(Unreadable, match=r"x\.crt: openssl cannot read"):
        validity(tmp_path / "x.crt")
    (tmp_path / "x.conf").write_text("users:\n- user:\n    client-certificate-data: AAA\n")
    with pytest.raises(Unreadable, match=r"x\.conf: "):
        validity(tmp_path / "x.conf")
    assert validity(tmp_path / "absent.crt") is None


def proc(root: Path, pid: int, program: str, group: str, ticks: int) -> None:
    directory = root / "proc" / str(pid)
    directory.mkdir(parents=True)
    (directory / "cmdline").write_bytes(f"{program}\0--flag\0".encode())
    (directory / "cgroup").write_text(group)
    (directory / "stat").write_text(f"{pid} (kube (x) y) S {' '.join(['0'] * 18)} {ticks} 0 0\n")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    (tmp_path / "pods/kube-system_etcd-chick0_0123abcd").mkdir(parents=True)
    (tmp_path / "pods/users_etcd-chick0_fedc").mkdir()
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/uptime").write_text("1000.00 4000.00\n")
    return tmp_path


@pytest.mark.parametrize(
    ("group", "found"),
    [
        (
            "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0123abcd.slice/cri-containerd-1.scope",
            True,
        ),
        ("12:cpu:/kubepods/burstable/pod0123abcd/1f\n11:memory:/kubepods/burstable/pod0123abcd/1f\n", True),
        (
            "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podfedc.slice/cri-containerd-1.scope",
            False,
        ),
        ("0::/kubepods.slice/kubepods-burstable-pod0123abcdef.slice/cri-containerd-1.scope", False),
        ("0::/user.slice", False),
    ],
)
def test_only_the_kubelets_own_static_pod_is_found(machine: Path, group: str, found: bool) -> None:
    proc(machine, 41, "/usr/local/bin/etcd", group, 50_000)
    proc(machine, 42, "/bin/sh", group, 60_000)
    seen = Processes(machine / "proc", machine / "pods").of("etcd")
    assert (seen is not None) == found
    if seen is not None:
        assert seen.pid == 41
        assert abs(seen.started - (time.time() - 1000 + 50_000 / os.sysconf("SC_CLK_TCK"))) < 5


def test_metrics_tell_when_a_certificate_ends(tmp_path: Path) -> None:
    made = Spec(
        "homes",
        {
            "maker": Certificate(str(tmp_path / "maker.pem"), "pulumi up"),
            "torn": Certificate(str(tmp_path / "torn.pem"), "pulumi up"),
            "absent": Certificate(str(tmp_path / "absent.pem"), "pulumi up"),
        },
    )
    (tmp_path / "maker.pem").write_text(Authority().issue("maker")[0])
    (tmp_path / "torn.pem").write_text("-----BEGIN")
    metrics.write(Spec.read(written(tmp_path, made)), tmp_path)
    lines = (tmp_path / "henhouse_certificates_homes.prom").read_text().splitlines()
    values = {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}
    of = 'certificate="maker",renewer="pulumi up"'
    ends = values[f"henhouse_certificate_not_after_timestamp_seconds{{{of}}}"]
    assert ends - values[f"henhouse_certificate_not_before_timestamp_seconds{{{of}}}"] == 3900
    assert abs(ends - time.time() - 3600) < 60
    assert values['henhouse_certificate_not_after_timestamp_seconds{certificate="torn",renewer="pulumi up"}'] == 0
    assert len(values) == 4


def written(directory: Path, spec: Spec) -> Path:
    (directory / "spec.json").write_text(spec.text())
    return directory / "spec.json"


def test_every_metric_has_an_alert() -> None:
    rules = (ROOT / "components/certificates/alerts.yml").read_text()
    assert all(metric in rules for metric in metrics.HELP)
