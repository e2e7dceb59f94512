"""What a person who waits for their server is told."""

import pytest

from programs.hub.telling import told


@pytest.mark.parametrize(
    ("reason", "message", "says"),
    [
        ("FailedScheduling", "0/3 nodes are available: 3 Insufficient memory.", "No machine has room"),
        ("FailedScheduling", "0/3 nodes are available: 3 Too many pods.", "No machine has room"),
        ("FailedScheduling", "0/3 nodes are available: 3 node(s) were unschedulable.", "No machine can take"),
        ("Scheduled", "Successfully assigned users/jupyter-ada to chick2", "A machine has room"),
        ("Pulling", 'Pulling image "quay.io/jupyter/base-notebook:1"', "The machine fetches the image"),
        ("Failed", 'Failed to pull image "x": not found', "cannot fetch the image"),
        ("BackOff", 'Back-off pulling image "x"', "cannot fetch the image"),
        ("BackOff", "Back-off restarting failed container notebook in pod jupyter-ada", "ended right after its start"),
        (
            "FailedMount",
            "MountVolume.SetUp failed for volume",
            "Your home or a directory that you share is not there yet",
        ),
        ("Started", "Started container notebook", "gets ready to answer"),
    ],
)
def test_events_are_told_in_plain_words(reason: str, message: str, says: str) -> None:
    step = told({"progress": 5, "raw_event": {"reason": reason, "message": message}, "message": f"12:00 {message}"})
    assert says in step["message"]
    assert says in step["html_message"]
    assert message in step["message"], "an administrator needs what Kubernetes says"
    assert step["progress"] == 5


def test_what_kubernetes_says_is_not_html() -> None:
    step = told({"raw_event": {"reason": "Pulled", "message": "<b>"}, "message": "<script>alert(1)</script>"})
    assert "<script>" not in step["html_message"]


@pytest.mark.parametrize("step", [{"message": "Server requested", "progress": 0}, {"raw_event": {"reason": "Odd"}}, {}])
def test_other_steps_are_left_as_they_are(step: dict[str, object]) -> None:
    assert told(step) == step
