"""Where a machine's packages come from."""

from converge.items import File, Item, Script
from converge.role import Role
from stacks.settings import AptRepositorySettings, MirrorsSettings

_DIRECTORY = "/etc/apt/sources.list.d"
_STAMP = "/var/lib/apt/henhouse-lists"


def package_sources(mirrors: MirrorsSettings) -> Role:
    """Return the role with the site's apt sources and no others, and lists that are at least as new as the sources."""
    files = [file for name, repository in mirrors.apt.items() for file in _files(name, repository)]
    ours = [file.path for file in files if file.path.startswith(_DIRECTORY)]
    return Role("sources", (*files, _no_others(ours), _lists([file.path for file in files])))


def deb822(repository: AptRepositorySettings, keyring: str) -> str:
    """One stanza of a `.sources` file (sources.list(5))."""
    fields = {
        "Types": "deb",
        "URIs": str(repository.url),
        "Suites": repository.suite,
        "Components": " ".join(repository.components),
        "Signed-By": keyring,
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


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


def _lists(paths: list[str]) -> Item:
    newer = " || ".join(f"{path} -nt {_STAMP}" for path in paths)
    return Script(
        "package lists of these sources",
        check=f"[[ -e {_STAMP} ]] && ! [[ {newer} ]]",
        apply=f"apt-get -o DPkg::Lock::Timeout=600 -o APT::Update::Error-Mode=any update\ntouch {_STAMP}",
    )
