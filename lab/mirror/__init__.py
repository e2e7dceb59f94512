"""The mirror of the virtual rack: packages, images and manifests under their upstream names.

`PARTS` are the artifacts that it consists of (tens of minutes of work when the cache is empty); `start_mirror` and
`stop_mirror` run the two servers on the rack's campus.
"""

from lab.mirror.build import PARTS, mirror
from lab.mirror.serve import Mirror, MirrorStatus, mirror_status, start_mirror, stop_mirror
from lab.mirror.signing import mirror_keyring

__all__ = [
    "PARTS",
    "Mirror",
    "MirrorStatus",
    "mirror",
    "mirror_keyring",
    "mirror_status",
    "start_mirror",
    "stop_mirror",
]
