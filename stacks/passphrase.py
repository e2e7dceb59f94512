"""What encrypts a stack's secrets, and which passphrases cannot: those that are published with the project.

The engine writes into a stack's file a salt and the word `pulumi`, encrypted with the passphrase (pulumi/pkg/secrets/
passphrase, sdk/go/common/resource/config/crypt.go): AES-256-GCM with a key of PBKDF2, SHA-256, one million rounds.
"""

import hashlib
import os
import sys
from base64 import b64decode
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from stacks.file import settings_file, written

PUBLISHED: Final[Mapping[str, str]] = {"dev": "henhouse-lab", "prod": "henhouse-example"}
"""The committed stacks' passphrases, by stack. They keep nothing secret: their stacks hold example secrets only."""
_ROUNDS: Final = 1_000_000
_VARIABLES: Final = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


class PassphraseError(Exception):
    """The stack's passphrase cannot be used; the message says why, and what to type."""


def opens(salt: str, passphrase: str) -> bool:
    """Return whether a passphrase fits a stack's `encryptionsalt`."""
    try:
        version, of_key, of_word, nonce, word = salt.split(":")
        if (version, of_word) != ("v1", "v1"):
            return False
        key = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), b64decode(of_key), _ROUNDS, 32)
        return AESGCM(key).decrypt(b64decode(nonce), b64decode(word), None) == b"pulumi"
    except (InvalidTag, ValueError):  # the engine says what is wrong with a salt of another form
        return False


def refuse_published(stack: str, *, lab: bool, preview: bool) -> None:
    """Raise PassphraseError when anyone could read the secrets of the stack.

    A lab has none. The committed example may be previewed.
    """
    if lab or (stack == "prod" and preview):
        return
    salt = str(written(stack).get("encryptionsalt") or "")
    known = next((each for each in (*PUBLISHED.values(), "") if salt and opens(salt, each)), None)
    if known is not None:
        which = f"the passphrase {known}, which is published with the project" if known else "the empty passphrase"
        raise PassphraseError(
            f"{settings_file(stack)}: encryptionsalt is that of {which}: anyone could read this stack's secrets\n"
            "    accepted: a passphrase of your own\n"
            f"    type: pulumi stack change-secrets-provider passphrase --stack {stack}"
        )


def require(stack: str, environment: Mapping[str, str]) -> None:
    """Raise PassphraseError when the stack needs a passphrase and the environment gives none.

    Pulumi Cloud keeps secrets itself, unless the stack's file has a salt.
    """
    held = written(stack)
    of_the_backend = environment.get("PULUMI_BACKEND_URL", "").startswith("http") and "encryptionsalt" not in held
    provider = str(held.get("secretsprovider") or "passphrase")
    if provider != "passphrase" or of_the_backend or any(environment.get(name) for name in _VARIABLES):
        return
    raise PassphraseError(
        f"the stack {stack} has secrets of its own, and no passphrase is given to read them with\n"
        "    put the passphrase in a file that only you can read, and type, with the file's name:\n"
        f"    export PULUMI_CONFIG_PASSPHRASE_FILE=$HOME/.config/henhouse/{stack}.passphrase"
    )


def main(stack: str) -> int:
    """Say what is missing before the engine is started, and return an exit status."""
    try:
        require(stack, os.environ)
    except PassphraseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
