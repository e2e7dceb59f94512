"""The OpenPGP key that signs the mirror's package indices: made once on this computer, never published."""

import tempfile
from pathlib import Path
from typing import Final

from lab.cache import Artifact
from lab.processes import run

_OWNER: Final = "henhouse lab mirror (of this computer alone)"


def _generate(directory: Path) -> None:
    home = directory / "gnupg"
    home.mkdir(mode=0o700)
    # gpg(1) leaves an agent behind whose socket lies in its home; a short home keeps the socket's path in bounds.
    with tempfile.TemporaryDirectory(prefix="gpg-") as short:
        gpg = ["gpg", "--homedir", short, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
        try:
            run([*gpg, "--quick-generate-key", _OWNER, "ed25519", "sign", "never"])
            (home / "secret.gpg").write_bytes(run([*gpg, "--export-secret-keys"]).stdout)
            (directory / "site-mirror.gpg").write_bytes(run([*gpg, "--export"]).stdout)
        finally:
            run(["gpgconf", "--homedir", short, "--kill", "all"])


KEY: Final = Artifact(
    "mirror-key", "making the mirror's signing key", _generate, {"algorithm": "ed25519", "owner": _OWNER}
)


def mirror_keyring() -> Path:
    """Return the file of the public key, binary, for apt's ``Signed-By``.

    The key is made now when this computer has none yet (a second).
    """
    return KEY.make() / "site-mirror.gpg"


def sign_release(release: Path) -> None:
    """Write ``InRelease`` and ``Release.gpg`` beside a Release file."""
    with tempfile.TemporaryDirectory(prefix="gpg-") as short:
        gpg = ["gpg", "--homedir", short, "--batch", "--quiet", "--yes", "--digest-algo", "SHA512"]
        try:
            run([*gpg, "--import", str(KEY.make() / "gnupg/secret.gpg")])
            run([*gpg, "--clearsign", "--output", str(release.with_name("InRelease")), str(release)])
            run([*gpg, "--armor", "--detach-sign", "--output", f"{release}.gpg", str(release)])
        finally:
            run(["gpgconf", "--homedir", short, "--kill", "all"])
