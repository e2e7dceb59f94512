"""kubeadm's files below a directory, and its static pods as processes that are started again when they end."""

import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from components.cluster.calico import kubeadm
from components.cluster.calico.certificates import spec as spec_of
from components.cluster.calico.roles import INIT_CONFIG
from lab.mirror.programs import ETCD, KUBERNETES
from programs.certificates.processes import Process, Processes
from programs.certificates.spec import Spec
from stacks.load import parse_settings
from stacks.settings import Site
from tests.stacks.sites import changed, tree
from tests.tools import free_port


def site(lifetime: str) -> Site:
    """Return the rack's settings with certificates that last so long."""
    return parse_settings(changed(tree("dev"), {"cluster": {"certificate_lifetime": lifetime}}))


@dataclass(frozen=True)
class Files:
    """What kubeadm has made of a machine whose root directory is `root`."""

    root: Path

    @classmethod
    def made(cls, root: Path, lifetime: str, first: str | None = None) -> "Files":
        """Make certificates as `kubeadm init` does; the `first` ones may last for another time, in Go's form."""
        found = cls(root)
        found.configure(lifetime, first)
        found.kubeadm("init", "phase", "certs", "all", f"--config={INIT_CONFIG}")
        found.kubeadm("init", "phase", "kubeconfig", "all", f"--config={INIT_CONFIG}")
        found.configure(lifetime)
        (found.bin / "kubeadm").write_text(
            f'#!/bin/bash\nroot={root}\nexec {KUBERNETES.artifact.make()}/kubeadm --rootfs="$root" "${{@//"$root"/}}"\n'
        )
        (found.bin / "kubeadm").chmod(0o755)
        return found

    def configure(self, lifetime: str, first: str | None = None) -> None:
        """Write kubeadm's configuration as the role does."""
        documents = list(yaml.safe_load_all(kubeadm.init_configuration(site(lifetime))))
        (cluster,) = [each for each in documents if each["kind"] == "ClusterConfiguration"]
        # Keys that are made in no time.
        cluster["encryptionAlgorithm"] = "ECDSA-P256"
        # The test's API server answers there.
        cluster["apiServer"]["certSANs"].append("127.0.0.1")
        if first:
            cluster["certificateValidityPeriod"] = first
        self.bin.mkdir(parents=True, exist_ok=True)
        path = self.at(INIT_CONFIG)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump_all(documents))

    @property
    def bin(self) -> Path:
        """Holds a kubeadm that takes `root` for the machine's."""
        return self.root / "bin"

    def at(self, path: str) -> Path:
        """Where a path of the machine's is on this computer."""
        return Path(f"{self.root}{path}")

    def kubeadm(self, *arguments: str) -> None:
        """Run the real one."""
        program = KUBERNETES.artifact.make() / "kubeadm"
        subprocess.run([program, f"--rootfs={self.root}", *arguments], check=True, capture_output=True)

    def spec(self, lifetime: str) -> Spec:
        """Return what the role tells the program, with these paths; no component is looked at."""
        told = spec_of(site(lifetime), "chick0")
        assert told.renewal is not None
        certificates = {name: replace(each, path=f"{self.root}{each.path}") for name, each in told.certificates.items()}
        renewal = replace(
            told.renewal,
            components={},
            config=f"{self.root}{told.renewal.config}",
            backup=f"{self.root}{told.renewal.backup}",
        )
        return replace(told, certificates=certificates, renewal=renewal)


class Kubelet(Processes):
    """Starts a program again whenever it ends, and says where it runs."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        object.__setattr__(self, "_running_now", {})
        object.__setattr__(self, "_directory", directory)
        object.__setattr__(self, "_closed", threading.Event())

    def of(self, component: str) -> Process | None:
        running: subprocess.Popen[bytes] | None = self.__dict__["_running_now"].get(component)
        found = [] if running is None else [each for each in self._running(component) if each.pid == running.pid]
        return found[0] if found else None

    def run(self, name: str, command: Sequence[str | Path]) -> None:
        """Start a component, for as long as the kubelet runs."""
        threading.Thread(target=self._keep, args=(name, command), daemon=True).start()

    def close(self) -> None:
        """End all."""
        self.__dict__["_closed"].set()
        for process in self.__dict__["_running_now"].values():
            process.kill()
            process.wait()

    def _keep(self, name: str, command: Sequence[str | Path]) -> None:
        directory: Path = self.__dict__["_directory"]
        while not self.__dict__["_closed"].is_set():
            with open(directory / f"{name}.log", "ab") as log:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory)
            self.__dict__["_running_now"][name] = process
            process.wait()


@contextmanager
def static_pods(files: Files, lifetime: str) -> Iterator[tuple[Spec, Kubelet]]:
    """Run the four components with kubeadm's files while the block runs; they answer at ports of their own."""
    etcd, kubernetes = ETCD.artifact.make(), KUBERNETES.artifact.make()
    pki, conf = files.at("/etc/kubernetes/pki"), files.at("/etc/kubernetes")
    clients, peers, api, manager, scheduler = (free_port() for _ in range(5))
    told = spec_of(site(lifetime), "chick0")
    assert told.renewal is not None
    urls = {
        "etcd": f"https://127.0.0.1:{clients}/health",
        "kube-apiserver": f"https://127.0.0.1:{api}/readyz",
        "kube-controller-manager": f"https://127.0.0.1:{manager}/healthz",
        "kube-scheduler": f"https://127.0.0.1:{scheduler}/readyz",
    }

    def below(path: str | None) -> str | None:
        return f"{files.root}{path}" if path else None

    components = {
        name: replace(
            each, url=urls[name], shows=below(each.shows), authority=below(each.authority), client=below(each.client)
        )
        for name, each in told.renewal.components.items()
    }
    mine = files.spec(lifetime)
    assert mine.renewal is not None
    mine = replace(mine, renewal=replace(mine.renewal, components=components))
    for name in ("controller-manager", "scheduler", "admin"):
        path = conf / f"{name}.conf"
        path.write_text(path.read_text().replace("https://api.flock.internal:6443", f"https://127.0.0.1:{api}"))
        path.write_text(path.read_text().replace("https://198.18.0.100:6443", f"https://127.0.0.1:{api}"))
        os.utime(path, (0, 0))
    kubelet = Kubelet(files.root)
    client_url, peer_url = f"https://127.0.0.1:{clients}", f"https://127.0.0.1:{peers}"
    kubelet.run(
        "etcd",
        [
            etcd / "etcd",
            "--name=chick0",
            f"--data-dir={files.root}/etcd",
            "--unsafe-no-fsync",
            *(f"--listen-client-urls={client_url}", f"--advertise-client-urls={client_url}"),
            *(f"--listen-peer-urls={peer_url}", f"--initial-advertise-peer-urls={peer_url}"),
            f"--initial-cluster=chick0={peer_url}",
            *(f"--cert-file={pki}/etcd/server.crt", f"--key-file={pki}/etcd/server.key", "--client-cert-auth=true"),
            f"--trusted-ca-file={pki}/etcd/ca.crt",
            *(f"--peer-cert-file={pki}/etcd/peer.crt", f"--peer-key-file={pki}/etcd/peer.key"),
            f"--peer-trusted-ca-file={pki}/etcd/ca.crt",
        ],
    )
    kubelet.run(
        "kube-apiserver",
        [
            kubernetes / "kube-apiserver",
            *("--bind-address=127.0.0.1", f"--secure-port={api}", "--authorization-mode=Node,RBAC"),
            *(f"--etcd-servers={client_url}", f"--etcd-cafile={pki}/etcd/ca.crt"),
            f"--etcd-certfile={pki}/apiserver-etcd-client.crt",
            f"--etcd-keyfile={pki}/apiserver-etcd-client.key",
            *(f"--tls-cert-file={pki}/apiserver.crt", f"--tls-private-key-file={pki}/apiserver.key"),
            f"--client-ca-file={pki}/ca.crt",
            "--service-account-issuer=https://test",
            f"--service-account-key-file={pki}/sa.pub",
            f"--service-account-signing-key-file={pki}/sa.key",
            "--service-cluster-ip-range=198.18.32.0/20",
        ],
    )
    for name, port, others in (
        ("kube-controller-manager", manager, [f"--service-account-private-key-file={pki}/sa.key"]),
        ("kube-scheduler", scheduler, []),
    ):
        kubeconfig = conf / f"{name.removeprefix('kube-')}.conf"
        kubelet.run(
            name,
            [
                kubernetes / name,
                *(f"--kubeconfig={kubeconfig}", "--bind-address=127.0.0.1", f"--secure-port={port}"),
                "--leader-elect=false",
                *others,
            ],
        )
    try:
        yield mine, kubelet
    finally:
        kubelet.close()
