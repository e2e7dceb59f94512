"""NfsTls: the file server and the workers show each other certificates, and what goes between them is encrypted."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import pulumi

from components.certificates import UP, told
from components.contracts.machines import Machine
from components.templates import render
from converge.host_state import HostState, apply
from converge.items import Directory, File, Package, Script, Unit
from converge.role import Role
from programs.certificates.spec import Certificate, Spec
from stacks.authority import Authority, Use

CREDENTIALS: Final = "/etc/henhouse/nfs-tls"
"""Where a machine's certificate and key are kept, and the certificate of the authority."""
CONFIG: Final = "/etc/tlshd.conf"
"""Where tlshd of ktls-utils 1.0 reads its configuration (Debian 13)."""
SERVICE: Final = "tlshd.service"
_DROP_IN: Final = f"/etc/systemd/system/{SERVICE}.d/henhouse.conf"
Side = Literal["server", "client"]
_USES: Final[Mapping[Side, Use]] = {"server": "server_auth", "client": "client_auth"}


class NfsTls(pulumi.ComponentResource):
    """Gives the file server and each client a certificate, and the program that shakes hands for the kernel (tlshd(8)).

    The authority is of its own: tlshd believes whoever has a certificate that its authority signed, whatever the name
    in it, and the site's authority signs for others as well.
    """

    ready: HostState
    """What the server needs before an export asks for it. Nothing waits for the clients: a worker may be off."""

    def __init__(
        self,
        name: str,
        *,
        server: Machine,
        address: pulumi.Output[str],
        clients: Sequence[Machine],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Name the resources of a machine ``<name>-<machine>`` and ``<machine>-nfs-tls``.

        `address` is the one that clients mount: the server's certificate is for it and for the server's own.
        """
        super().__init__("henhouse:storage:NfsTls", name, None, opts)
        children = pulumi.ResourceOptions(parent=self)
        authority = Authority.make(f"{name}-ca", "henhouse NFS authority", children)

        def set_up(machine: Machine, side: Side, *addresses: pulumi.Input[str]) -> HostState:
            issued = authority.issue(
                f"{name}-{machine.name}",
                machine.name,
                children,
                dns_names=[machine.name],
                ip_addresses=[str(machine.address), *addresses],
                uses=[_USES[side]],
            )
            secrets = {"certificate": issued.certificate, "key": issued.private_key, "ca": authority.certificate}
            return apply(machine, tls_role(side), parent=self, secrets=secrets)

        # A client compares the address that it mounted, which the kernel hands to tlshd as the peer's name.
        self.ready = set_up(server, "server", address)
        for each in clients:
            set_up(each, "client")
        self.register_outputs({})


def tls_role(side: Side) -> Role:
    """Return the role of a machine on this side. It takes the secrets `certificate`, `key` and `ca`."""
    certificates = {
        "NFS": Certificate(f"{CREDENTIALS}/certificate.pem", UP),
        "authority of NFS": Certificate(f"{CREDENTIALS}/ca.pem", UP),
    }
    return Role(
        "nfs-tls",
        (
            # Before the package, whose installation starts the service.
            File(_DROP_IN, render(__file__, "tlshd.service.conf")),
            Package("ktls-utils"),
            Directory(CREDENTIALS, mode="0700"),
            # tlshd reads them at each handshake, its configuration once. The authority is first: without its file tlshd
            # believes every authority that the machine trusts.
            *(File(f"{CREDENTIALS}/{name}.pem", secret=name, mode="0600") for name in ("ca", "certificate", "key")),
            File(CONFIG, tlshd_conf(side)),
            Unit(SERVICE, restart_on=(CONFIG, _DROP_IN)),
            *told(Spec("nfs-tls", certificates)),
        ),
    )


_PLAIN: Final = """\
plain=$(ss --tcp --numeric --info --oneline --no-header state established 'sport = :2049' |
  awk '!/tcp-ulp-tls/ { sub(/:[0-9]+$/, "", $4); print $4 }' | sort --unique | paste --serial --delimiters=' ')"""
_ONLY_TLS: Final = "exportfs -s | awk '!/[(,]xprtsec=mtls[,)]/ { other = 1 } END { exit !NR || other }'"


def no_plain_connection() -> Script:
    """Return the item by which an export asks for TLS only where that takes files away from no worker.

    A worker keeps a connection as long as it has a mount, and the server answers no plain one any more. Once exports
    ask for TLS, such a connection is one that mounts nothing.
    """
    refusal = (
        "There are connections without TLS from $plain, and storage.homes.transport: tls would take homes away from "
        "the user servers there. Set tls-preferred until those have ended (docs/nfs-tls.md)."
    )
    return Script(
        "homes that are mounted without TLS",
        check=f"""if ! {_ONLY_TLS}; then\n{_PLAIN}\necho "$plain"\n[[ -z $plain ]]\nfi""",
        # The last of them may have ended since.
        apply=f"""{_PLAIN}\n[[ -n $plain ]] || exit 0\necho "{refusal}" >&2\nexit 1""",
    )


def tlshd_conf(side: Side) -> str:
    """Return tlshd.conf(5) for a machine that only answers, or only asks: none does both."""
    return render(__file__, "tlshd.conf", side=side, credentials=CREDENTIALS)
