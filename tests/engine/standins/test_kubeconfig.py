"""Which API server a kubeconfig names."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.standins.kubernetes.kubeconfig import Access, content
from engine.standins.kubernetes.plugin import Kubernetes
from engine.standins.resources import Failed
from engine.standins.values import UNKNOWN


def kubeconfig(server: str = "https://198.18.0.100:6443/", user: dict[str, Any] | None = None) -> str:
    return yaml.safe_dump(
        {
            "current-context": "a",
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": user or {"token": "word"}}],
            "contexts": [
                {"name": "a", "context": {"cluster": "c", "user": "u"}},
                {"name": "b", "context": {"cluster": "c", "user": "u", "namespace": "n"}},
            ],
        }
    )


def test_contexts() -> None:
    access = Access.parse(kubeconfig())
    assert (access.server, access.namespace) == ("https://198.18.0.100:6443", "default")
    assert access.headers() == {"Authorization": "Bearer word"}
    assert Access.parse(kubeconfig(), "b").namespace == "n"


@pytest.mark.parametrize(
    ("text", "context", "message"),
    [
        ("", None, "is empty"),
        ("[", None, "not YAML"),
        (kubeconfig(), "z", "no context 'z'"),
        (kubeconfig(user={"exec": {}}), None, "credential plugin"),
    ],
)
def test_what_is_refused(text: str, context: str | None, message: str) -> None:
    with pytest.raises(Failed, match=message):
        Access.parse(text, context)


def test_content_of_a_path(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(kubeconfig())
    assert content(str(path)) == kubeconfig()
    assert content(kubeconfig()) == kubeconfig()
    assert content("{" + "x" * 5000) == "{" + "x" * 5000


HERE, THERE = {"kubeconfig": kubeconfig()}, {"kubeconfig": kubeconfig("https://198.18.0.101:6443")}
RENEWED = {"kubeconfig": kubeconfig(user={"token": "another"})}


@pytest.mark.parametrize(
    ("old", "new", "replaces"),
    [
        (HERE, RENEWED, []),
        (HERE, THERE, ["kubeconfig"]),
        (HERE, {"kubeconfig": UNKNOWN}, ["kubeconfig"]),
        ({**HERE, "clusterIdentifier": "x"}, {"kubeconfig": UNKNOWN, "clusterIdentifier": "x"}, []),
        ({**HERE, "clusterIdentifier": "x"}, {**THERE, "clusterIdentifier": "x"}, []),
        ({**HERE, "clusterIdentifier": "x"}, {**HERE, "clusterIdentifier": "y"}, ["clusterIdentifier"]),
        (HERE, {**THERE, "clusterIdentifier": "x"}, []),
    ],
)
def test_what_means_another_cluster(old: dict[str, Any], new: dict[str, Any], replaces: list[str]) -> None:
    diff = Kubernetes("0.0.0").diff_config(old, new)
    assert diff.changes
    assert diff.replaces == replaces
