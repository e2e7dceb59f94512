"""As much of an API server as KubeSpawner needs for pods that are made and wait, with the events of their waiting."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from tests.certificates import LOOPBACK, Authority
from tests.programs.hub.asking import kubeconfig
from tests.tools import eventually

AREA: Final = "/api/v1/namespaces/users"
WATCH_SECONDS: Final = 5.0
STEPS: Final = (
    ("FailedScheduling", "0/3 nodes are available: 3 Insufficient memory."),
    ("Scheduled", "Successfully assigned users/{pod} to chick5"),
    ("Pulling", 'Pulling image "quay.io/team/lab:w202648"'),
)
"""What Kubernetes says of a pod for which there is room after a while, and whose image is fetched."""


@dataclass
class Cluster:
    """Pods that never run, and what is said of them."""

    kubeconfig: str = ""
    pods: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    version: int = 1
    over: bool = False

    def made(self, pod: dict[str, Any]) -> dict[str, Any]:
        """Keep a pod, which waits from now on."""
        name = pod["metadata"]["name"]
        pod["metadata"] |= {"namespace": "users", "uid": f"uid-of-{name}", "resourceVersion": "1"}
        pod["status"] = {"phase": "Pending"}
        self.pods[name] = pod
        for reason, message in STEPS:
            self.tell(name, reason, message.format(pod=name))
        return pod

    def container(self, pod: str) -> dict[str, Any]:
        """Return the container of a pod, which may be made a moment after the page says that its server starts."""
        found = eventually(f"the pod {pod}", lambda: self.pods.get(pod), seconds=60)
        (container,) = found["spec"]["containers"]
        return dict(container)

    def tell(self, pod: str, reason: str, message: str) -> None:
        """Say of a pod what Kubernetes says."""
        number = len(self.events)
        with self.changed:
            self.events.append(
                {
                    "metadata": {"name": f"event-{number}", "namespace": "users", "uid": f"event-{number}"},
                    "involvedObject": {"kind": "Pod", "name": pod},
                    "lastTimestamp": f"2026-11-26T09:00:{number:02}Z",
                    "eventTime": None,
                    "type": "Normal",
                    "reason": reason,
                    "message": message,
                }
            )
            self.version += 1
            self.changed.notify_all()

    def listed(self, kind: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        """Return a list as the API has it."""
        return {"apiVersion": "v1", "kind": kind, "metadata": {"resourceVersion": str(self.version)}, "items": items}


class _Handler(BaseHTTPRequestHandler):
    cluster: Cluster

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if "watch=" in query:
            with self.cluster.changed:
                before = self.cluster.version
                self.cluster.changed.wait_for(
                    lambda: self.cluster.over or self.cluster.version != before, WATCH_SECONDS
                )
            self._send(200, b"")  # ends the watch: KubeSpawner asks for the whole list again
        elif path == f"{AREA}/pods":
            self._send_json(200, self.cluster.listed("PodList", list(self.cluster.pods.values())))
        elif path == f"{AREA}/events":
            self._send_json(200, self.cluster.listed("EventList", self.cluster.events))
        else:
            self._send_json(404, {"kind": "Status", "message": path})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == f"{AREA}/pods", self.path
        self._send_json(201, self.cluster.made(body))

    def do_DELETE(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        pod = self.cluster.pods.pop(self.path.partition("?")[0].removeprefix(f"{AREA}/pods/"), None)
        self._send_json(200 if pod else 404, pod or {"kind": "Status", "message": self.path})
        with self.cluster.changed:
            self.cluster.version += 1
            self.cluster.changed.notify_all()

    def _send_json(self, status: int, body: Any) -> None:
        self._send(status, json.dumps(body).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Keep quiet of a hub that does not wait for the end."""


@contextmanager
def running(directory: Path) -> Iterator[Cluster]:
    """Run it."""
    authority = Authority()
    certificate, key = authority.issue("kubernetes")
    for name, text in (("kube.crt", certificate), ("kube.key", key), ("kube-ca.crt", authority.pem)):
        (directory / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "kube.crt", directory / "kube.key")
    cluster = Cluster()
    server = _Server((str(LOOPBACK), 0), type("Handler", (_Handler,), {"cluster": cluster}))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    url = f"https://{LOOPBACK}:{server.server_address[1]}"
    cluster.kubeconfig = kubeconfig(url, **{"certificate-authority": str(directory / "kube-ca.crt")})
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield cluster
    finally:
        with cluster.changed:
            cluster.over = True
            cluster.changed.notify_all()
        server.shutdown()
        thread.join()
        server.server_close()
