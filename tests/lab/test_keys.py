"""Keys are derived: the same on every computer, for ever, because a stack's file pins them."""

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

from lab.keys import ADMINISTRATOR, private_key, public_key


def test_a_machine_keeps_its_key() -> None:
    pinned = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIb82XQY/Uy90DBW9JfIa/MFNIUjhTPknALdlnMwv0Fu"
    assert public_key("hen") == pinned


def test_private_key_belongs_to_the_public_one() -> None:
    loaded = load_ssh_private_key(private_key(ADMINISTRATOR), password=None)
    assert loaded.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() == public_key(
        ADMINISTRATOR
    )


def test_machines_have_different_keys() -> None:
    assert len({public_key(owner) for owner in ("hen", "rooster", ADMINISTRATOR)}) == 3
