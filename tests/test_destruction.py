"""Every command of the program that can destroy what a machine or a cluster holds, and what it needs to run."""

import re
from typing import Final

from tests.stacks.sites import ROOT

DESTROYS: Final = re.compile(
    r"kubeadm\"?,? \"?reset|delete (?:node|pod|pvc|pv|namespace)\b|wipefs(?! --json|\(8\)|\", \"--json)|labelclear"
    r"|zpool\"?,? \"?(?:destroy|create|import)|zfs\"?,? \"?(?:destroy|rollback)|\bmkfs|\bdd if=|rm -rf?\b"
    r"|rm --recursive|rmtree|\s-delete\b|--force-conflicts --prune"
)
KNOWN: Final = {
    # A mark of our own that says that kubeadm init has begun and not finished, and no data.
    ("components/cluster/calico/scripts/cluster.apply.sh", "kubeadm reset"): 1,
    # A mark of our own that says that kubeadm join has begun, and no kubelet has had an identity.
    ("components/cluster/calico/scripts/join.apply.sh", "kubeadm reset"): 1,
    # Another installation's machine-id in the Node, and no kubelet that answers.
    ("components/cluster/calico/scripts/token.apply.sh", "delete node"): 1,
    # By guid, never forced; and on blank disks alone.
    ("programs/zpool/__main__.py", 'zpool", "import'): 1,
    ("programs/zpool/__main__.py", 'zpool", "create'): 1,
    # At boot, by name, from the pool's own disks; never forced.
    ("components/storage/pool/files/zfs-import.service.j2", "zpool import"): 1,
    # What was shown before, in a directory that the pod has for itself.
    ("programs/hub/fetch_pages.py", "rmtree"): 1,
    # Copies of the certificates that kubeadm renews, which the program made itself.
    ("programs/certificates/renewal.py", "rmtree"): 3,
    # Earlier files of systemd-networkd, in directories that the program made and named by a digest.
    ("components/machines/roles/interfaces.py", "rm -rf"): 1,
    # Words: docstrings, and sentences to a person.
    ("components/cluster/calico/roles.py", "kubeadm reset"): 1,
    ("programs/zpool/__main__.py", "wipefs"): 1,
    ("programs/zpool/disks.py", "wipefs"): 1,
    ("programs/zpool/disks.py", "zpool import"): 1,
    ("programs/zpool/layout.py", "zpool create"): 1,
}
"""By file and command: how often. Each is held by a test of the states in which it must not run."""
COMMENT: Final = re.compile(r"^\s*#")
SAID: Final = re.compile(r"""^\s*["']|\b(?:echo|refuse) """)
"""In shell: a sentence to a person, or its second line."""


def test_nothing_destroys_without_being_listed() -> None:
    found: dict[tuple[str, str], int] = {}
    for top in ("components", "converge", "programs", "ops"):
        for file in sorted((ROOT / top).rglob("*")):
            if file.suffix not in {".py", ".sh", ".j2"}:
                continue
            for line in file.read_text().splitlines():
                if COMMENT.search(line) or (file.suffix == ".sh" and SAID.search(line)):
                    continue
                for match in DESTROYS.finditer(line):
                    key = (str(file.relative_to(ROOT)), match[0])
                    found[key] = found.get(key, 0) + 1
    assert found == KNOWN
