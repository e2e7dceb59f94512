"""What a person's server knows of them from the provider: git's configuration, and variables.

Shipped to the hub beside its configuration.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from identity import group_names

OURS: Final = "henhouse"
"""Where the encrypted login keeps what `known_of` returns."""
DIRECTORY: Final = "/etc/henhouse"
"""Where the files are in the pod."""
VOLUME: Final = "person"
GIT_CONFIG: Final = "gitconfig"
HELPER: Final = "git-credential"
AUTHORITY: Final = "provider-ca.crt"
CRUD: Final = ".,:;<>\"\\' \t"
"""What git takes away at the ends of a name (ident.c); it refuses a name of nothing else."""
LONGEST: Final = 200
GITHUB_SAYS: Final = ("id", "login", "name", "email")
_ADDRESS: Final = re.compile(r"[^\s<>@]+@[^\s<>@]+")


def known_of(state: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what is kept beside a login: `confirmed`, `refused`, `account`, `person`, `uid`, `groups` and `added`.

    For a login of another kind it is empty. A person who was added and has not logged in yet has `added` alone.
    """
    return dict((state or {}).get(OURS) or {})


class Told:
    """A variable of ours: KubeSpawner calls it, and fills in nothing for braces in what it returns."""

    def __init__(self, tell: Callable[[Any], str]) -> None:
        self._tell = tell

    def __call__(self, spawner: Any) -> str:
        """Return the value in this server, as Kubernetes takes it: $(NAME) would be another variable's value."""
        return self._tell(spawner).replace("$", "$$")


def described(claims: Mapping[str, Any]) -> dict[str, str]:
    """Return the `name` and the `email` that a provider says a person has, without one that it has not verified."""
    name = line(claims.get("name"))
    said = {"name": name if name.strip(CRUD) else ""}
    if False not in (claims.get("email_verified"), claims.get("verified_email")):  # the latter is Google's
        said["email"] = address(claims.get("email"))
    return {key: value for key, value in said.items() if value}


def line(text: Any) -> str:
    """Return a text of the provider's as one line that can be printed; empty for anything else."""
    printable = "".join(each if each.isprintable() else " " for each in text) if isinstance(text, str) else ""
    return " ".join(printable.split())[:LONGEST]


def address(text: Any) -> str:
    """Return an e-mail address as git can write it; empty for anything else."""
    found = line(text)
    return found if _ADDRESS.fullmatch(found) else ""


def git_config(name: str, email: str, helper_of: str = "", vouched_for: str = "") -> str:
    """Return git's configuration for all of a server, over the image's own, without what is empty.

    The person's own ~/.gitconfig is read after it, so it wins. `helper_of` is the host that uses `HELPER`, and
    `vouched_for` the one whose certificate `AUTHORITY` signed.
    """
    lines = ["# henhouse's. What you set with `git config --global` wins.", "[include]", "\tpath = /etc/gitconfig"]
    who = {"name": name, "email": email}
    if any(who.values()):
        lines += ["[user]", *(f"\t{key} = {_quoted(value)}" for key, value in who.items() if value)]
    if helper_of:
        lines += [f"[credential {_quoted(helper_of)}]", f"\thelper = {_quoted(f'{DIRECTORY}/{HELPER} {helper_of}')}"]
    if vouched_for:
        lines += [f"[http {_quoted(vouched_for)}]", f"\tsslCAInfo = {DIRECTORY}/{AUTHORITY}"]
    return "".join(f"{each}\n" for each in lines)


def variables(kind: str, person: Mapping[str, str], groups: Mapping[str, int]) -> dict[str, Told]:
    """Return the variables that say who the person is; `kind` is the type of the login."""

    def named(spawner: Any) -> str:
        known = getattr(spawner, "groups_in_the_server", groups)
        return ",".join(f"{name}:{gid}" for name, gid in group_names(spawner.user.name, known).items())

    told = {"EXTERNAL_UID": Told(lambda spawner: str(spawner.uid)), "EXTERNAL_GROUPS": Told(named)}
    if kind == "github":
        told |= {f"GITHUB_{key.upper()}": constant(person[key]) for key in GITHUB_SAYS if person.get(key)}
    return told


def constant(value: str) -> Told:
    """Return a variable that is the same in every server."""
    return Told(lambda _: value)


def introduce(login: Mapping[str, Any], authority: str = "") -> Callable[[Any, dict[str, Any] | None], None]:
    """Return JupyterHub's hook that tells a server who its person is before it starts.

    `login` is the site's, and `authority` the certificates by which its provider is known, where they are its own.
    """

    def hook(spawner: Any, state: dict[str, Any] | None) -> None:
        known = known_of(state)
        # A login from before this was kept has no person until the provider answers again.
        person = known.get("person") or {}
        files = git_files(login, person, spawner.user.name, authority)
        told: dict[str, Any] = {}
        if login["identity_variables"] and known:
            told = variables(login["type"], person, known.get("groups") or {})
        if files:
            told["GIT_CONFIG_SYSTEM"] = constant(f"{DIRECTORY}/{GIT_CONFIG}")
        # The spawner may have started a server before. What the site itself sets (extraEnv) stays.
        kept = {name: value for name, value in spawner.environment.items() if not isinstance(value, Told)}
        spawner.environment = {**told, **kept}
        _mount(spawner, files)

    return hook


def git_files(login: Mapping[str, Any], person: Mapping[str, str], user: str, authority: str = "") -> dict[str, str]:
    """Return by name the files that git in a person's server reads and runs; none where the site wants none."""
    name, email = (
        (person.get("name") or user, person.get("email", "")) if person and login["git_identity"] else ("", "")
    )
    # Of the providers, GitHub alone also keeps repositories that are known to be behind its address.
    host = host_of(login["url"]) if login["type"] == "github" else ""
    helped, vouched_for = host if login.get("git_credentials") else "", host if authority else ""
    files = {}
    if name or helped or vouched_for:
        files[GIT_CONFIG] = git_config(name, email, helped, vouched_for)
    if helped:
        files[HELPER] = Path(__file__).with_name("git_credential.py").read_text()
    if vouched_for:
        files[AUTHORITY] = authority
    return files


def host_of(url: str) -> str:
    """Return the address of the host alone: what git compares."""
    return f"https://{urlsplit(url).netloc}"


def _mount(spawner: Any, files: Mapping[str, str]) -> None:
    """Put the files into the pod, as annotations of it: the hub needs no right but that of making pods."""
    spawner.volumes = [each for each in spawner.volumes if each["name"] != VOLUME]
    spawner.volume_mounts = [each for each in spawner.volume_mounts if each["name"] != VOLUME]
    # KubeSpawner fills in what is in braces.
    notes = {f"henhouse.internal/{name}": re.sub(r"([{}])", r"\1\1", text) for name, text in files.items()}
    ours = {f"henhouse.internal/{name}" for name in (GIT_CONFIG, HELPER, AUTHORITY)}
    spawner.extra_annotations = {
        **{name: text for name, text in spawner.extra_annotations.items() if name not in ours},
        **notes,
    }
    if not files:
        return
    items = [
        {
            "path": name,
            "mode": 0o555 if name == HELPER else 0o444,
            "fieldRef": {"fieldPath": f"metadata.annotations['henhouse.internal/{name}']"},
        }
        for name in files
    ]
    spawner.volumes = [*spawner.volumes, {"name": VOLUME, "downwardAPI": {"items": items}}]
    spawner.volume_mounts = [
        *spawner.volume_mounts,
        {"name": VOLUME, "mountPath": DIRECTORY, "readOnly": True},
    ]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
