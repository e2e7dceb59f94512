"""Has the nodes pull the images that people may choose; a process that the hub runs beside itself.

It makes one pod per node at a time, with an image that the node lacks, and deletes it once the image is there, or the
pull has failed or took too long. Whatever goes wrong is tried again later; nothing waits for it.
"""

import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from default_image import following_each, read_default, write_default
from image_names import canonical
from placing import Kind, Place, Wanted, kinds_of, places
from prepulling import (
    IMAGE,
    LABELS,
    PULL_SECONDS,
    Memory,
    has,
    next_pull,
    outcome,
    pod_for,
    status,
    takes_pods,
    write_status,
)

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
ANSWER_SECONDS = 30.0
PAUSE_SECONDS = 10.0
LATE_SECONDS = 120.0
"""A kubelet ends a pull that takes too long; after so much more the pod is deleted without it."""


class Cluster:
    """The API server as the hub's account sees it."""

    def __init__(self, server: str, account: Path, namespace: str) -> None:
        self._server, self._account = server, account
        self._pods = f"/api/v1/namespaces/{namespace}/pods"

    def nodes(self) -> list[dict[str, Any]]:
        """Return all nodes."""
        return list(self._ask("GET", "/api/v1/nodes")["items"])

    def pulls(self) -> list[dict[str, Any]]:
        """Return the pods of pulls, those of an earlier process among them."""
        selector = ",".join(f"{name}={value}" for name, value in LABELS.items())
        return list(self._ask("GET", f"{self._pods}?{urlencode({'labelSelector': selector})}")["items"])

    def create(self, pod: Mapping[str, Any]) -> None:
        """Make a pod; nothing where there is one of the same name, which is another hub's or about to go."""
        self._ask("POST", self._pods, pod, fine=409)

    def delete(self, name: str) -> None:
        """Delete a pod, if it is there."""
        self._ask("DELETE", f"{self._pods}/{name}", fine=404)

    def _ask(self, method: str, path: str, body: Any = None, fine: int | None = None) -> dict[str, Any]:
        # Read each time: the kubelet renews the token.
        token = (self._account / "token").read_text()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._server + path, data, headers, method=method)
        context = ssl.create_default_context(cafile=str(self._account / "ca.crt"))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        try:
            with opener.open(request, timeout=ANSWER_SECONDS) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            if error.code == fine:
                return {}
            said = " ".join(error.read(2000).decode(errors="replace").split())
            raise OSError(f"{method} {path}: status {error.code}, {said}") from error


def wanted_images(site: Mapping[str, Any], kinds: Sequence[Kind]) -> list[Wanted]:
    """Return the images to have on nodes, each once, those of the menu first."""
    everyone, without = {each.slug for each in kinds}, {each.slug for each in kinds if each.image is None}
    own = site["prepuller"]["images"]
    used = {site["server"]["image"]: without}
    for kind in kinds:
        if kind.image:
            used[kind.image] = used.get(kind.image, set()) | {kind.slug}
    wanted = [
        *((image, used[image]) for image in own),
        *((image, everyone) for image in site["prepuller"]["extra_images"]),
    ]
    menu = (site.get("menu") or {}).get("images")
    if menu:
        # Only there where the site has a menu.
        from image_menu import choices, read_menu

        known = read_menu(Path(menu["file"]), menu["repository"])
        wanted = [*((each["image"], without) for each in (choices(known) if known else [])), *wanted]
    # The alias of a recommended image has the digest of another tag: it is one pull.
    unique: dict[str, Wanted] = {}
    for image, users in wanted:
        before = unique.setdefault(canonical(image), Wanted(image, frozenset()))
        unique[canonical(image)] = Wanted(before.image, frozenset({*before.kinds, *users}))
    return [each for each in unique.values() if each.kinds]


def turn(cluster: Cluster, site: Mapping[str, Any], memory: Memory, now: float) -> list[str]:
    """Look once, and do what is next on each node; return a line for everything that was done."""
    said: list[str] = []
    kinds = kinds_of(site)
    wanted = wanted_images(site, kinds)
    here = places(cluster.nodes(), kinds, site["purpose_label"])
    busy: set[str] = set()
    for pod in cluster.pulls():
        busy.add(pod["spec"].get("nodeName", ""))
        if not pod["metadata"].get("deletionTimestamp"):
            said += _look_after(cluster, pod, memory, now)
    memory.keep([place.name for place in here], [each.image for each in wanted])
    for place in here:
        for each in wanted:
            memory.see(place.name, each.image, has(place.node, each.image, memory), now)
        if place.name not in busy:
            said += _pull(cluster, site, place, wanted, memory, now)
    write_status(Path(site["prepuller"]["file"]), status(here, wanted, memory, now))
    return said + _settle(site, here, kinds, memory, now)


def _pull(
    cluster: Cluster, site: Mapping[str, Any], place: Place, wanted: Sequence[Wanted], memory: Memory, now: float
) -> list[str]:
    """Have a node pull the image that is next, if there is one."""
    image = next_pull(place.node, place.wants(wanted), memory, now)
    if image is None:
        return []
    pod = pod_for(place.name, image, site["prepuller"]["pull_secrets"], place.tolerations(image, wanted))
    try:
        cluster.create(pod)
    except OSError as error:  # such as a quota; pulls to the other nodes continue
        memory.note(place.name, image, f"the pod could not be made: {error}"[:400], now)
        return [f"{place.name}: {image}: {error}"]
    return [f"{place.name}: pulls {image}"]


def _settle(
    site: Mapping[str, Any], here: Sequence[Place], kinds: Sequence[Kind], memory: Memory, now: float
) -> list[str]:
    """Decide what servers start with, where a new image waits for the nodes; return a line for each change."""
    if not site["prepuller"]["new_image_waits"]:
        return []
    wanted, file = site["server"]["image"], Path(site["server"]["default_image_file"])
    known = read_default(file)
    ready = [place for place in here if takes_pods(place.node)]
    have = {
        kind.slug: {place.name: has(place.node, wanted, memory) for place in ready if kind in place.kinds}
        for kind in kinds
        if kind.image is None
    }
    default = following_each(known, wanted, have, now)
    if default == known:
        return []
    write_default(file, default)
    if known is None:
        return []
    changed = [f"servers start with {default.image}"] if default.image != known.image else []
    apart = sorted({*known.profiles, *default.profiles})
    return changed + [
        f"servers of the profile {profile} start with {default.of(profile)}"
        for profile in apart
        if default.of(profile) != known.of(profile)
    ]


def _look_after(cluster: Cluster, pod: Mapping[str, Any], memory: Memory, now: float) -> list[str]:
    """Delete a pull that has ended or is overdue, and remember how it went."""
    meta, node = pod["metadata"], pod["spec"].get("nodeName", "")
    image = (meta.get("annotations") or {}).get(IMAGE, pod["spec"]["containers"][0]["image"])
    found = outcome(pod)
    age = now - datetime.fromisoformat(meta["creationTimestamp"]).timestamp()
    problem = found.problem
    if not found.ended:
        if age < PULL_SECONDS + LATE_SECONDS:
            return []
        problem = f"the node has not answered for {int(age)} seconds"
    memory.note(node, image, problem, now)
    cluster.delete(meta["name"])
    return [f"{node}: {image}: {problem or 'pulled'}"]


def main(site: dict[str, Any], server: str, account: Path, pause: float = PAUSE_SECONDS) -> None:
    """Look again and again; a line for everything that is done, and for each new reason why nothing can be."""
    cluster, memory = Cluster(server, account, site["users_namespace"]), Memory()
    failed = None
    while True:
        try:
            lines = turn(cluster, site, memory, time.time())
            failed = None
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            lines = [] if reason == failed else [f"images on nodes: {reason}"]
            failed = reason
        for line in lines:
            print(line, file=sys.stderr, flush=True)
        time.sleep(pause)


if __name__ == "__main__":
    main(
        json.loads(Path(__file__).with_name("site.json").read_text()),
        f"https://{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ['KUBERNETES_SERVICE_PORT']}",
        ACCOUNT,
    )
