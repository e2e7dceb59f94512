"""The roles of the file server."""

from collections.abc import Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from components.certificates import HAND, UP, told
from components.storage.fileserver import texts
from components.storage.fileserver.texts import Export
from components.storage.fileserver.tls import no_plain_connection
from components.templates import render
from converge.items import Absent, Directory, File, Package, Script, Unit
from converge.program import installed
from converge.role import Role
from programs import homes as homes_program
from programs.certificates.spec import Certificate, Spec
from stacks.settings import HomesSettings

SYSTEM: Final = "/etc/systemd/system"
PROVISIONER: Final = "henhouse-homes.service"
NOT_FOR_V4: Final = ("rpcbind.socket", "rpcbind.service", "rpc-statd.service", "rpc-statd-notify.service")
"""What only NFS 3 needs. The packages depend on it, and it would listen on port 111."""


def nfs_role(exports: Sequence[Export], clients: Sequence[IPv4Address], homes: HomesSettings) -> Role:
    """Return the role in which datasets are exported over NFS 4.2 to the clients, each only while it is mounted.

    The first holds the homes: the server runs only while it is mounted.
    """
    conf = "/etc/nfs.conf.d/henhouse.conf"
    binding = f"{SYSTEM}/nfs-server.service.d/henhouse.conf"
    mountd = f"{SYSTEM}/nfs-mountd.service.d/henhouse.conf"
    of_homes, *shared = exports
    return Role(
        "nfs",
        (
            # Before the package, whose installation starts its services.
            *(Unit(name, enabled=False, running=False, masked=True) for name in NOT_FOR_V4),
            File(conf, texts.nfs_conf(homes)),
            File(binding, texts.bound_to(of_homes.mountpoint, of_homes.mount_unit)),
            File(f"{SYSTEM}/{of_homes.mount_unit}.d/nfs-server.conf", texts.started_by_mount(["nfs-server.service"])),
            # It listens on no port.
            File(mountd, render(__file__, "nfs-mountd.service.conf")),
            # Not among what the server restarts for: everyone would wait for the grace period.
            _waits_for([export.mount_unit for export in shared]),
            Package("nfs-kernel-server"),
            *([no_plain_connection()] if of_homes.transport == "tls" else []),
            File("/etc/exports", texts.EXPORTS_ELSEWHERE),
            File("/etc/exports.d/henhouse.exports", texts.exports_file(exports, clients)),
            # Shared directories have roles of their own: one that cannot be mounted must not keep homes away.
            _mounted(of_homes.mountpoint, of_homes.mount_unit),
            *(_place(export.mountpoint) for export in shared),
            # It takes nfs-mountd.service with it: each requires the other.
            Unit("nfs-server.service", restart_on=(conf, binding, mountd)),
            _exported(exports, clients),
            Script(
                "only NFS 4.2",
                check="found=$(</proc/fs/nfsd/versions); echo \"$found\"; [[ $found == '-3 +4 -4.0 -4.1 +4.2' ]]",
                apply="systemctl restart nfs-server.service",
            ),
        ),
    )


def _waits_for(mount_units: Sequence[str]) -> File | Absent:
    """Return the item by which the server starts after what people share is mounted; nothing is left of the last."""
    path = f"{SYSTEM}/nfs-server.service.d/shares.conf"
    return File(path, texts.after_mounts(mount_units)) if mount_units else Absent(path)


def _place(mountpoint: str) -> Script:
    """Return the item by which there is a directory to mount a dataset at: exportfs(8) fails where there is none.

    It is not a `Directory`: what is mounted there has an owner and a mode of its own.
    """
    return Script(
        f"{mountpoint} is a directory",
        check=f"echo 'not there'; [[ -d {mountpoint} ]]",
        apply=f"mkdir --parents {mountpoint}",
    )


def _mounted(mountpoint: str, mount_unit: str) -> Script:
    """Return the item by which a dataset is mounted."""
    return Script(
        f"{mountpoint} is mounted",
        check=f"echo 'not mounted'; mountpoint --quiet {mountpoint}",
        apply=f"systemctl start '{mount_unit}'",
    )


def _exported(exports: Sequence[Export], clients: Sequence[IPv4Address]) -> Script:
    """Return the item by which the current exports, however they came about, are those of the exports file."""
    wanted = "\n".join(
        f"{export.mountpoint} {client} {export.access} sync root_squash {export.fsid} {export.security or 'any'}"
        for export in exports
        for client in clients
    )
    # exportfs -s: one line for each export, `PATH  CLIENT(OPTION,…)`, options normalised (exportfs(8)).
    lines = r"""
      function option(pattern) { return match(options, "(^|,)" pattern "(,|$)") }
      {
        client = substr($2, 1, index($2, "(") - 1)
        options = substr($2, index($2, "(") + 1)
        sub(/\)$/, "", options)
        fsid = options
        sub(/.*fsid=/, "", fsid)
        sub(/,.*/, "", fsid)
        access = option("rw") ? "rw" : "ro"
        commit = option("sync") ? "sync" : "async"
        squash = option("root_squash") ? "root_squash" : "no_root_squash"
        security = match(options, /xprtsec=[a-z:]+/) ? substr(options, RSTART + 8, RLENGTH - 8) : "any"
        print $1, client, access, commit, squash, fsid, security
      }"""
    return Script(
        "exports",
        check=f"""\
found=$(exportfs -s | awk '{lines}' | sort)
wanted=$(sort <<'WANTED'
{wanted}
WANTED
)
diff <(echo "$wanted") <(echo "$found") | grep --max-count=1 '^[<>]' || true
[[ $found == "$wanted" ]]""",
        apply="exportfs -ra",
    )


def homes_role(mountpoint: str, mount_unit: str, address: IPv4Address, homes: HomesSettings) -> Role:
    """Return the role in which the home provisioner runs. The role takes the secrets `certificate`, `key` and `ca`."""
    binding = f"{SYSTEM}/{PROVISIONER}.d/mounted.conf"
    credentials = tuple(f"{texts.CREDENTIALS}/{name}.pem" for name in ("certificate", "key", "ca"))
    unit = f"{SYSTEM}/{PROVISIONER}"
    sysusers = "/etc/sysusers.d/henhouse-homes.conf"
    program = list(installed(homes_program))
    return Role(
        "homes",
        (
            File(sysusers, f'u {texts.PROVISIONER_USER} - "Makes people\'s homes" {mountpoint}\n'),
            Script(
                f"user {texts.PROVISIONER_USER}",
                check=f"getent passwd {texts.PROVISIONER_USER} >/dev/null",
                apply=f"systemd-sysusers {sysusers}",
            ),
            _mounted(mountpoint, mount_unit),
            # People can enter their own home but not list others'. The group is nogroup, to which root_squash maps the
            # workers' root: the kubelet opens the volume for reading before it binds a subPath of it
            # (kubernetes/pkg/volume/util/subpath, doSafeOpen).
            Directory(mountpoint, mode="0751", owner=texts.PROVISIONER_USER, group="nogroup"),
            Directory(texts.CREDENTIALS, mode="0700"),
            *(File(path, secret=Path(path).stem, mode="0600") for path in credentials),
            *program,
            _homes_keep_their_owners(mountpoint, unit, homes.first_uid),
            File(unit, texts.provisioner_unit(mountpoint, address, homes.first_uid)),
            File(binding, texts.bound_to(mountpoint, mount_unit)),
            File(f"{SYSTEM}/{mount_unit}.d/homes.conf", texts.started_by_mount([PROVISIONER])),
            Unit(
                PROVISIONER,
                restart_on=(*credentials, unit, binding, *(item.path for item in program if isinstance(item, File))),
            ),
        ),
    )


def _homes_keep_their_owners(mountpoint: str, unit: str, first_uid: int) -> Script:
    """Return the item by which no home is lost by a larger `storage.homes.first_uid`.

    The provisioner refuses homes with an id below it. Those that it takes until now would be their owners' no more, one
    start after the other; `unit` has the number until now. What it refuses anyway is of no concern.
    """
    lost = f"""\
before=$(grep --only-matching --perl-regexp -e '--first-uid \\K[0-9]+' {unit} || echo {first_uid})
lost=$(find {mountpoint} -mindepth 1 -maxdepth 1 -type d ! -name '.*' -printf '%U %G %f\\n' |
  awk -v before="$before" '
    {{ least = $1 < $2 ? $1 : $2 }}
    before <= least && least < {first_uid} {{ print least, $3 " belongs to " $1 ":" $2 }}' |
  sort --numeric-sort)"""
    return Script(
        f"ids of homes from {first_uid} on",
        check=f"""{lost}\necho "${{lost#* }}"\n[[ -z $lost ]]""",
        apply=f"""\
{lost}
least=${{lost%%$'\\n'*}}
echo 'storage.homes.first_uid, {first_uid}, is more than the numbers of homes that there are. Their owners could' \\
  "start no server any more: $(wc --lines <<<"$lost") in all, such as ${{least#* }}. Put back $before, or write" \\
  "at most ${{least%% *}}; the provisioner runs as before."
exit 1""",
    )


def certificates_role() -> Role:
    """Return the role that tells when the certificates end by which the hub and the provisioner know each other.

    The role takes the secret `client`, the hub's certificate: the hub itself is a pod, which tells nothing.
    """
    client = f"{texts.CREDENTIALS}/client.pem"
    certificates = {
        "home provisioner": Certificate(f"{texts.CREDENTIALS}/certificate.pem", UP),
        "hub as client of the home provisioner": Certificate(client, UP),
        "authority of the site": Certificate(f"{texts.CREDENTIALS}/ca.pem", HAND),
    }
    return Role("homes-certificates", (File(client, secret="client", mode="0600"), *told(Spec("homes", certificates))))
