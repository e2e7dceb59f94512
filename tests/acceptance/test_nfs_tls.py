"""A site whose homes go over TLS from one day on, while a person's server runs. A part of `make chaos`."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, Final

import pytest

from components.storage.fileserver.tls import CREDENTIALS
from tests.acceptance.site import (
    Clock,
    CommandFailed,
    drift,
    edited,
    in_the_pod,
    kubectl,
    on,
    password,
    pulumi,
    state,
)
from tests.acceptance.visitor import visitor

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("site_is_up")]

USER: Final = "ada"
NODE: Final = "chick2"
PLACE: Final = "/run/henhouse-mounted-by-hand"
STOLEN: Final = "/root/henhouse-stolen"
MEBIBYTES: Final = 64
FILES: Final = 200
ROUNDS: Final = 3


def homes_by(transport: str) -> Mapping[str, Any]:
    """Return the settings of a site whose homes go this way."""
    return {"storage": {"homes": {"transport": transport}}}


def test_living_site_moves_to_tls_and_a_workers_address_alone_mounts_nothing(clock: Clock) -> None:
    with visitor() as ada, ExitStack() as settings:
        assert ada.log_in(USER, password())
        ada.start(USER)
        assert "xprtsec" not in mount_of_the_home()
        assert mounts_by_hand("xprtsec=none")
        in_the_pod(USER, "echo kept >~/over-tls.txt")
        copy(clock, "tcp")

        with (
            pytest.raises(CommandFailed, match=r"without TLS from 198[.]18[.]0[.]102, and"),
            edited(homes_by("tls")),
        ):
            pass
        assert in_the_pod(USER, "cat ~/over-tls.txt").strip() == "kept"

        settings.enter_context(edited(homes_by("tls-preferred")))
        assert in_the_pod(USER, "cat ~/over-tls.txt").strip() == "kept", "who works already is not disturbed"
        assert not encrypted()
        ada.stop(USER)
        assert mounts_by_hand("xprtsec=none"), "old mounts are still accepted"
        ada.start(USER)
        assert "xprtsec=mtls" in mount_of_the_home()
        assert encrypted()

        settings.enter_context(edited(homes_by("tls")))
        assert in_the_pod(USER, "cat ~/over-tls.txt").strip() == "kept"
        copy(clock, "tls")
        assert not any(drift().values())
        # Each mount of a worker joins the connection that is there already: only now is there none.
        ada.stop(USER)
        assert not mounts_by_hand("xprtsec=none")
        assert not mounts_by_hand("xprtsec=tls"), "encrypted, without a certificate of the worker"
        assert mounts_by_hand("xprtsec=mtls")
    assert not any(drift().values())


def test_key_in_other_hands_mounts_nothing_after_a_new_authority() -> None:
    # A mount joins the connection of another mount, whose key was good when it began.
    kubectl("--namespace", "users", "delete", "pods", "--all", "--wait")
    with edited(homes_by("tls-preferred")):
        assert mounts_by_hand("xprtsec=mtls")
        on(NODE, f"rm --recursive --force {STOLEN}; cp --archive {CREDENTIALS} {STOLEN}")
        resources = state()["deployment"]["resources"]
        names = ("::homes-tls-ca-key", f"::homes-tls-{NODE}-key")
        keys = [each["urn"] for each in resources if each["urn"].endswith(names)]
        assert len(keys) == len(names)
        pulumi("up", "--yes", "--skip-preview", *(part for urn in keys for part in ("--replace", urn)))
        assert mounts_by_hand("xprtsec=mtls")
        on(NODE, f"cp --archive {CREDENTIALS} {CREDENTIALS}.new")
        try:
            # The authority stays the new one: who has the key accepts whatever the server shows.
            on(NODE, f"cp {STOLEN}/certificate.pem {STOLEN}/key.pem {CREDENTIALS}")
            assert not mounts_by_hand("xprtsec=mtls")
        finally:
            on(NODE, f"cp {CREDENTIALS}.new/* {CREDENTIALS} && rm --recursive {CREDENTIALS}.new {STOLEN}")
        assert mounts_by_hand("xprtsec=mtls")


def mount_of_the_home() -> str:
    """Return the line of the home in a user server's table of mounts."""
    (line,) = {line for line in in_the_pod(USER, "cat /proc/mounts").splitlines() if " nfs4 " in line}
    return line


def encrypted() -> bool:
    """Whether what the worker says to the file server is encrypted by its kernel."""
    return "tcp-ulp-tls" in on(NODE, "ss -tniH state established dport = 2049")


def mounts_by_hand(security: str) -> bool:
    """Whether root of a worker mounts the homes so, and may look into them."""
    address = kubectl("--namespace", "storage", "get", "service", "nfs", "--output", "jsonpath={.spec.clusterIP}")
    mount = f"timeout 60 mount --types nfs4 --options vers=4.2,{security} {address}:/nest/homes {PLACE}"
    done = on(
        NODE,
        f"mkdir --parents {PLACE}; {mount} && ls {PLACE} >/dev/null && echo mounted;"
        f" umount --force {PLACE} 2>/dev/null; true",
    )
    return done.strip() == "mounted"


def copy(clock: Clock, transport: str) -> None:
    """Keep how long the same work takes: a large file there and back, and many small ones."""
    in_the_pod(USER, f"head --bytes {MEBIBYTES}M /dev/urandom >/tmp/bytes")
    for _ in range(ROUNDS):
        with clock.timing(f"{transport}: {MEBIBYTES} MiB to the file server"):
            in_the_pod(USER, "dd if=/tmp/bytes of=$HOME/bytes bs=1M conv=fsync status=none")
        on(NODE, "echo 1 >/proc/sys/vm/drop_caches")
        with clock.timing(f"{transport}: {MEBIBYTES} MiB from the file server"):
            in_the_pod(USER, "cmp /tmp/bytes ~/bytes")
        with clock.timing(f"{transport}: {FILES} small files made and removed"):
            in_the_pod(USER, f"mkdir ~/small; for i in {{1..{FILES}}}; do echo $i >~/small/$i; done; rm -r ~/small")
