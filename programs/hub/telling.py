"""What Kubernetes does, in plain words, for a person who waits for their server."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

NO_ROOM: Final = (
    "No machine has room for your server at the moment. It starts as soon as there is some; you may wait here, or "
    "choose a smaller size if there is a choice"
)
NO_IMAGE: Final = (
    "The machine cannot fetch the image of your server. It tries again by itself; if this takes more than a few "
    "minutes, contact an administrator"
)
NO_MOUNT: Final = (
    "Your home or a directory that you share is not there yet. The machine tries again by itself; if this takes more "
    "than a few minutes, contact an administrator. Your files are safe"
)
PLAIN: Final[Mapping[str, str]] = {
    "Scheduled": "A machine has room for your server",
    "Pulling": "The machine fetches the image of your server. The first time, that takes some minutes",
    "Pulled": "The image of your server is there",
    "Created": "Your server is made",
    "Started": "Your server runs, and gets ready to answer",
    "FailedMount": NO_MOUNT,
    "FailedAttachVolume": NO_MOUNT,
    "ErrImagePull": NO_IMAGE,
    "ImagePullBackOff": NO_IMAGE,
    "InspectFailed": NO_IMAGE,
    "Killing": "Your server is being stopped",
    "Evicted": "Your server had to leave its machine. Start it again; your files are safe",
    "Preempted": "Your server had to make room for something more urgent. Start it again; your files are safe",
    "TaintManagerEviction": "The machine of your server is being serviced. Start it again; your files are safe",
}
"""By the reason of a Kubernetes event (kubelet's and the scheduler's)."""


def plain(event: Mapping[str, Any]) -> str:
    """Return what a Kubernetes event means for the person who waits; empty for what does not concern them."""
    reason, message = str(event.get("reason") or ""), str(event.get("message") or "")
    if reason == "FailedScheduling":
        return NO_ROOM if "Insufficient" in message or "Too many pods" in message else _no_machine()
    if reason in ("Failed", "BackOff"):
        if "image" in message.lower():
            return NO_IMAGE
        return "Your server ended right after its start, and is tried again. If it ends again, contact an administrator"
    return PLAIN.get(reason, "")


def _no_machine() -> str:
    return (
        "No machine can take your server at the moment. It starts as soon as one can; if this takes more than a few "
        "minutes, contact an administrator"
    )


def told(progress: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step of KubeSpawner's progress with plain words before what Kubernetes says."""
    words = plain(progress.get("raw_event") or {})
    if not words:
        return dict(progress)
    detail = escape(str(progress.get("message", "")))
    return {
        **progress,
        "message": f"{words}. ({progress.get('message', '')})",
        "html_message": f"{words}.<br><small>{detail}</small>",
    }
