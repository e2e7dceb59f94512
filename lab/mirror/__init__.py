"""The mirror of the virtual rack: packages, images and manifests under their upstream names.

`ensure_mirror` builds what the cache lacks (tens of minutes when it is empty, nothing when it is full);
`start_mirror` and `stop_mirror` run the two servers on the rack's campus.
"""

from lab.mirror.build import ensure_mirror
from lab.mirror.serve import Mirror, MirrorStatus, mirror_status, start_mirror, stop_mirror
from lab.mirror.signing import mirror_keyring

__all__ = ["Mirror", "MirrorStatus", "ensure_mirror", "mirror_keyring", "mirror_status", "start_mirror", "stop_mirror"]
