"""One commit of a git repository, fetched over HTTPS by the git of the hub's image; shipped to the hub."""

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

LARGEST: Final = 16 * 1024 * 1024
"""Bytes of all pages together: they are copied at each start of the hub."""
MOST_FILES: Final = 2000
MOST_FETCHED: Final = 256 * 1024 * 1024
"""Bytes of any file that git writes. A commit comes as one, with all that is beside the pages."""
FILES: Final = (b"100644", b"100755")
LINK: Final = b"120000"
LARGE_FILE: Final = b"version https://git-lfs.github.com/spec/"
BESIDE_PAGES: Final = ("CHANGELOG", "CODEOWNERS", "CONTRIBUTING", "COPYING", "LICENSE", "README")
"""Files that every repository has; whatever their suffix, they are not pages."""
NOT_THERE: Final = "it does not have that commit. Was it pushed?"
HELPER: Final = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$PAGES_USER" "$(cat "$PAGES_PASSWORD")"; }; f'
)


class Unusable(Exception):
    """The commit cannot be had, or what is in it are not pages that work."""


class GitRefused(Unusable):
    """What git says for itself."""


@dataclass(frozen=True)
class Repository:
    """One commit of a repository, and how git gets it."""

    url: str
    commit: str
    folder: str
    """In the repository; `.` is all of it."""
    user: str
    password: str | None
    """The file with it, if there is one."""
    authority: str | None
    """The file with the host's own, if it has one."""
    until: float
    """When the fetch is given up, by the monotonic clock."""

    @property
    def copy(self) -> str:
        """The name of its copy; no part of a folder's name has two dots in a row."""
        return self.commit if self.folder == "." else f"{self.commit}..{self.folder.replace('/', '..')}"

    def files(self) -> Mapping[str, bytes]:
        """Fetch the commit and return the folder's files by path.

        Raise Unusable where the repository does not answer, does not have the commit, or has no such pages in it.
        """
        with tempfile.TemporaryDirectory() as place:
            kind = "sha256" if len(self.commit) == 64 else "sha1"
            self._git(place, "init", "--quiet", "--bare", f"--object-format={kind}")
            self._fetch(place)
            try:
                self._git(place, "cat-file", "-e", f"{self.commit}:{self._path}")
                listed = self._git(place, "ls-tree", "-r", "-z", "--long", f"{self.commit}:{self._path}")
            except GitRefused:
                raise Unusable(f"commit {self.commit} of {self.url} has no folder {self.folder}") from None
            found = dict(_entries(listed))
            objects = "".join(f"{each}\n" for each in found.values()).encode()
            contents = dict(zip(found, _blobs(self._git(place, "cat-file", "--batch", given=objects)), strict=True))
        if large := [name for name, content in contents.items() if content.startswith(LARGE_FILE)]:
            raise Unusable(f"{large[0]} is kept by Git LFS, from which nothing is fetched: commit the file itself")
        return contents

    @property
    def _path(self) -> str:
        return "" if self.folder == "." else self.folder

    def _fetch(self, place: str) -> None:
        try:
            self._git(place, "fetch", "--quiet", "--depth=1", "--no-tags", self.url, self.commit)
        except GitRefused as error:
            if "unadvertised object" not in str(error):
                raise
            # An older server gives away branches and tags alone, and what they have behind them.
            self._git(place, "fetch", "--quiet", self.url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
            try:
                self._git(place, "cat-file", "-e", f"{self.commit}^{{tree}}")
            except GitRefused:
                raise Unusable(f"{self.url}: {NOT_THERE}") from None

    def _git(self, place: str, *arguments: str, given: bytes = b"") -> bytes:
        with tempfile.TemporaryFile() as output:
            try:
                done = subprocess.run(
                    ["git", "-C", place, *arguments],
                    input=given,
                    env=self._environment(place),
                    stdout=output,
                    stderr=subprocess.PIPE,
                    check=False,
                    timeout=max(1.0, self.until - time.monotonic()),
                    preexec_fn=_bounded,
                )
            except FileNotFoundError:
                raise Unusable(
                    "the hub's image has no git, which fetches hub.pages_repository: choose a hub.image that has, such "
                    "as quay.io/jupyterhub/k8s-hub"
                ) from None
            except subprocess.TimeoutExpired:
                raise Unusable(f"{self.url} has not given commit {self.commit} in time") from None
            if done.returncode:
                raise GitRefused(f"{self.url}: {_said(done.stderr.decode(errors='replace'))}")
            output.seek(0)
            return output.read()

    def _environment(self, place: str) -> Mapping[str, str]:
        """Return git's environment: it asks no person, and gives the password to the repository's own host alone."""
        parts = urlsplit(self.url)
        settings = {"protocol.allow": "never", "protocol.https.allow": "always", "gc.auto": "0"}
        if self.password:
            settings[f"credential.{parts.scheme}://{parts.netloc}.helper"] = HELPER
        names = {f"GIT_CONFIG_KEY_{number}": name for number, name in enumerate(settings)}
        values = {f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(settings.values())}
        own = {"HOME": place, "LC_ALL": "C", "PAGES_USER": self.user, "PAGES_PASSWORD": self.password or os.devnull}
        quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
        if self.authority:
            own["GIT_SSL_CAINFO"] = self.authority
        return {**os.environ, **quiet, **own, **names, **values, "GIT_CONFIG_COUNT": str(len(settings))}


def _bounded() -> None:
    """Keep git from filling the disk that it shares with the hub's database."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_FETCHED, MOST_FETCHED))


def _said(text: str) -> str:
    """Return what git says went wrong, as one line."""
    if "terminal prompts disabled" in text:
        return "there is no such repository, or it wants an account: set user and password"
    if "not our ref" in text:
        return NOT_THERE
    said = [line.removeprefix("fatal: ").strip() for line in text.splitlines() if line.startswith("fatal: ")]
    return (said or text.strip().splitlines() or ["git failed"])[-1]


def _entries(listed: bytes) -> Iterator[tuple[str, str]]:
    """Yield the files of a listing, each with its object; raise Unusable where something else is among them."""
    total = 0
    if (files := listed.count(b"\0")) > MOST_FILES:
        raise Unusable(f"a folder of pages has at most {MOST_FILES} files, and there are {files}")
    for line in filter(None, listed.split(b"\0")):
        head, _, path = line.partition(b"\t")
        mode, _, blob, size = head.split()
        name = path.decode(errors="backslashreplace")
        if any(part.startswith(".") or part == "__pycache__" for part in name.split("/")) or _is_beside(name):
            continue
        if mode == LINK:
            raise Unusable(f"{name} is a link: commit the file itself")
        if mode not in FILES:
            raise Unusable(f"{name} is another repository (a submodule), which is not fetched: commit the files")
        total += int(size)
        if total > LARGEST:
            raise Unusable(f"pages have at most {LARGEST >> 20} MiB together, and with {name} they have more")
        yield name, blob.decode()


def _is_beside(name: str) -> bool:
    return "/" not in name and name.partition(".")[0] in BESIDE_PAGES


def _blobs(batch: bytes) -> Iterator[bytes]:
    """Yield the contents that `git cat-file --batch` prints, each after a line that ends in its size."""
    at = 0
    while at < len(batch):
        start = batch.index(b"\n", at) + 1
        end = start + int(batch[at:start].split()[-1])
        yield batch[start:end]
        at = end + 1
