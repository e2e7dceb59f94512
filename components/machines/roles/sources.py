"""Where a machine's packages come from."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from converge.items import File, Item, Package, PackageLists, Script
from converge.role import Role
from stacks.settings import AptRepositorySettings, MirrorsSettings
from stacks.versions import SITE

_DIRECTORY = "/etc/apt/sources.list.d"
_HERE: Final = Path(__file__).parent
CONTRIB: Final = f"{_DIRECTORY}/henhouse-contrib.sources"

# Fetching over https needs them, and a minimal Debian does not have them; nor does a machine whose /etc was restored
# without what is made there.
_AUTHORITIES: Final = (
    Package("ca-certificates"),
    Script(
        "authorities of TLS are known",
        check="[[ -s /etc/ssl/certs/ca-certificates.crt ]]",
        apply="install --directory --mode=0755 /etc/ssl/certs\nupdate-ca-certificates --fresh",
    ),
)


def package_sources(mirrors: MirrorsSettings, kubernetes_version: str) -> Role:
    """Return the role with the machine's apt sources, and lists that are at least as new as the sources.

    They are the site's own and no others, or the installer's and the official ones.
    """
    if mirrors.apt:
        return Role("sources", _own(mirrors))
    return Role("sources", _official(official(mirrors, kubernetes_version)))


def official(mirrors: MirrorsSettings, kubernetes_version: str) -> dict[str, AptRepositorySettings]:
    """Return the official repositories of what Debian does not have.

    Debian 13's own containerd is 1.7: it cannot read config.toml's version 4, has no support since September 2026, and
    the kubelet of Kubernetes 1.36 asks it for the driver of control groups, which only containerd 2 answers (KEP-4033).
    """
    minor = kubernetes_version.rpartition(".")[0]
    found = {
        "kubernetes": {
            "url": f"https://pkgs.k8s.io/core:/stable:/v{minor}/deb/",
            "suite": "/",
            "signed_by": mirrors.kubernetes_key or _key("kubernetes"),
        },
        "containerd": {
            "url": "https://download.docker.com/linux/debian",
            "suite": SITE["debian"],
            "components": ("stable",),
            "signed_by": _key("docker"),
        },
    }
    return {name: AptRepositorySettings.model_validate(fields) for name, fields in found.items()}


def deb822(repository: AptRepositorySettings, keyring: str) -> str:
    """One stanza of a `.sources` file (sources.list(5))."""
    fields = {
        "Types": "deb",
        "URIs": str(repository.url),
        "Suites": repository.suite,
        "Components": " ".join(repository.components),
        "Signed-By": keyring,
        "Check-Valid-Until": "" if repository.check_valid_until else "no",
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def _own(mirrors: MirrorsSettings) -> list[Item]:
    """Order the sources so that those without TLS, or else the installer's, have what TLS needs before TLS is used."""
    plain = {name: each for name, each in mirrors.apt.items() if urlsplit(str(each.url)).scheme == "http"}
    secure = {name: each for name, each in mirrors.apt.items() if name not in plain}
    first = [file for name, each in plain.items() for file in _files(name, each)]
    then = [file for name, each in secure.items() for file in _files(name, each)]
    paths = [file.path for file in (*first, *then)]
    ours = [path for path in paths if path.startswith(_DIRECTORY)]
    authorities = _AUTHORITIES if secure else ()
    return [*first, *authorities, *then, _no_others(ours), PackageLists(tuple(paths))]


def _official(repositories: dict[str, AptRepositorySettings]) -> list[Item]:
    files = [file for name, each in repositories.items() for file in _files(name, each)]
    debian = f"DEBIAN_SUITE={SITE['debian']}\nOURS={CONTRIB}\nshopt -s extglob\n{_script('debian.sh')}"
    return [
        Script(
            "no disc among the package sources",
            check=_script("disc.sh") + _script("disc.check.sh"),
            apply=_script("disc.sh") + _script("disc.apply.sh"),
        ),
        Script(
            "contrib of the machine's Debian mirror",
            check=debian + _script("debian.check.sh"),
            apply=debian + _script("debian.apply.sh"),
        ),
        *_AUTHORITIES,
        *files,
        PackageLists((CONTRIB, *(file.path for file in files))),
    ]


def _files(name: str, repository: AptRepositorySettings) -> list[File]:
    path = f"{_DIRECTORY}/{name}.sources"
    if repository.signed_by.startswith("/"):
        return [File(path, deb822(repository, repository.signed_by))]
    keyring = f"/etc/apt/keyrings/{name}.asc"
    return [File(keyring, repository.signed_by.strip() + "\n"), File(path, deb822(repository, keyring))]


def _no_others(ours: list[str]) -> Item:
    """apt silently skips files whose names end in .disabled."""
    find = f"""
others() {{
  local path
  for path in /etc/apt/sources.list {_DIRECTORY}/*.list {_DIRECTORY}/*.sources; do
    case $path in
      {" | ".join(ours)}) ;;
      *)
        if [[ -s $path ]]; then
          printf '%s\\n' "$path"
        fi
        ;;
    esac
  done
}}"""
    return Script(
        "no other package sources",
        check=f"{find}\nfound=$(others)\nprintf '%s\\n' \"$found\"\n[[ -z $found ]]",
        apply=f'{find}\nothers | while read -r path; do\n  mv --force -- "$path" "$path.disabled"\ndone',
    )


def _key(name: str) -> str:
    """Return an armoured key of `keys/`; a test holds its fingerprint to what its owner publishes."""
    return (_HERE / "keys" / f"{name}.asc").read_text()


def _script(name: str) -> str:
    return (_HERE / "scripts" / name).read_text()
