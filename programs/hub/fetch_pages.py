"""Brings the hub's pages from a git repository; an init container, which ends before JupyterHub starts.

`fetch_pages.py rehearse`: the commit has to be there and its pages have to work; else this ends with 1, and says why.
`fetch_pages.py start`: whatever goes wrong, the hub starts, with the last pages that it had.

A commit is fetched once. Its pages are kept on the hub's volume, so that a hub starts while the repository is away.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from keeping import write_whole
from site_pages import faults
from termination import tell, without_secrets

PATIENCE_SECONDS: Final[Mapping[str, int]] = {"rehearse": 240, "start": 60}
"""How long each command of git may take: less than Pulumi waits for a Job, and than people would wait for a hub."""
LARGEST: Final = 16 * 1024 * 1024
"""Bytes of all pages together: they are copied at each start of the hub."""
COPIES_KEPT: Final = 3
"""Of those that a hub started with: the one in use, and two to go back to without the repository."""
LEFT_BEHIND_SECONDS: Final = 3600
"""So old is a copy that was not finished when its container was stopped."""
FILES: Final = (b"100644", b"100755")
LINK: Final = b"120000"
LARGE_FILE: Final = b"version https://git-lfs.github.com/spec/"
BESIDE_PAGES: Final = ("CHANGELOG", "CODEOWNERS", "CONTRIBUTING", "COPYING", "LICENSE", "README")
"""Files that every repository has; whatever their suffix, they are not pages."""
SHOWN: Final = "shown.json"
"""Beside the pages: which copy they are, and why they are not those of the wanted commit."""
NOT_THERE: Final = "it does not have that commit. Was it pushed?"
HELPER: Final = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$PAGES_USER" "$(cat "$PAGES_PASSWORD")"; }; f'
)


class Unusable(Exception):
    """The commit cannot be had, or what is in it are not pages that work."""


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
    patience: int
    """Seconds for each command of git."""

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
                listed = self._git(place, "ls-tree", "-r", "-z", "--long", f"{self.commit}:{self._path}")
            except Unusable:
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
        except Unusable as error:
            if "unadvertised object" not in str(error):
                raise
            # An older server gives away branches and tags alone, and what they have behind them.
            self._git(place, "fetch", "--quiet", self.url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
            try:
                self._git(place, "cat-file", "-e", f"{self.commit}^{{tree}}")
            except Unusable:
                raise Unusable(f"{self.url}: {NOT_THERE}") from None

    def _git(self, place: str, *arguments: str, given: bytes = b"") -> bytes:
        try:
            done = subprocess.run(
                ["git", "-C", place, *arguments],
                input=given,
                env=self._environment(place),
                capture_output=True,
                check=True,
                timeout=self.patience,
            )
        except FileNotFoundError:
            raise Unusable(
                "the hub's image has no git, which fetches hub.pages_repository: choose a hub.image that has, such as "
                "quay.io/jupyterhub/k8s-hub"
            ) from None
        except subprocess.TimeoutExpired:
            raise Unusable(f"{self.url} has not given commit {self.commit} in {self.patience} s") from None
        except subprocess.CalledProcessError as error:
            raise Unusable(f"{self.url}: {_said(error.stderr.decode(errors='replace'))}") from None
        return done.stdout

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


@dataclass(frozen=True)
class Copies:
    """The pages that were fetched, on the hub's volume."""

    directory: Path

    def add(self, name: str, files: Mapping[str, bytes]) -> None:
        """Keep these files as one copy: after a power cut it is there as a whole, or not at all."""
        self.directory.mkdir(exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=".", dir=self.directory))
        for path, content in files.items():
            (unfinished / path).parent.mkdir(parents=True, exist_ok=True)
            (unfinished / path).write_bytes(content)
        os.sync()
        unfinished.chmod(0o755)
        try:
            unfinished.rename(self.directory / name)
        except OSError:
            if not (self.directory / name).is_dir():
                raise
            shutil.rmtree(unfinished)  # another container was as quick

    def newest(self) -> Path | None:
        """Return the copy that a hub started with last."""
        return next(iter(self._by_age()), None)

    def used(self, copy: Path) -> None:
        """Remember that a hub starts with this copy, and drop those that none has started with for long."""
        os.utime(copy)
        for old in self._by_age()[COPIES_KEPT:]:
            shutil.rmtree(old)
        for each in self.directory.glob(".*"):
            if each.stat().st_mtime < time.time() - LEFT_BEHIND_SECONDS:
                shutil.rmtree(each)

    def _by_age(self) -> list[Path]:
        return sorted(self.directory.glob("[!.]*"), key=lambda each: -each.stat().st_mtime)


def checked(files: Mapping[str, bytes], templates: Path) -> Mapping[str, bytes]:
    """Return the files; raise Unusable where some would not work beside henhouse's own `templates`."""
    own = {each.name: each.read_text() for each in templates.glob("*.html")}
    if found := faults(files, own):
        raise Unusable("; ".join(found))
    return files


def read(copy: Path) -> Mapping[str, bytes]:
    """Return the files of a copy by path."""
    return {each.relative_to(copy).as_posix(): each.read_bytes() for each in copy.rglob("*") if each.is_file()}


def show(copy: Path | None, place: Path, problem: str | None) -> None:
    """Put a copy where the hub looks for its pages, and beside it what an administrator is told of it."""
    shutil.rmtree(place, ignore_errors=True)  # a container that is started again has it from before
    if copy:
        shutil.copytree(copy, place)
    else:
        place.mkdir()
    write_whole(place.with_name(SHOWN), {"shown": copy.name if copy else None, "problem": problem})


def kept(repository: Repository, copies: Copies, templates: Path, *, again: bool) -> Path:
    """Return the copy of the wanted commit, which is fetched where there is none yet.

    Raise Unusable or OSError where it cannot be had. To check `again` is for a copy that an older henhouse has checked.
    """
    copy = copies.directory / repository.copy
    if not copy.is_dir():
        copies.add(copy.name, checked(repository.files(), templates))
    elif again:
        checked(read(copy), templates)
    return copy


def main(site: Mapping[str, Any], purpose: str) -> int:
    """Show the pages of the wanted commit and return the exit status."""
    pages, secrets = site["pages"], Path(site["secrets_directory"])
    repository = Repository(**pages["repository"], patience=PATIENCE_SECONDS[purpose])
    copies, templates = Copies(Path(pages["copies"])), Path(pages["directory"], "henhouse")
    copy, problem = None, None
    try:
        copy = kept(repository, copies, templates, again=purpose == "rehearse")
    except (Unusable, OSError) as error:
        problem = without_secrets(f"hub.pages_repository: {error}", secrets)
        print(problem, flush=True)
        if purpose == "rehearse":
            tell(problem, secrets)
            return 1
        copy = copies.newest()
    show(copy, Path(pages["site"]), problem)
    if copy and purpose == "start":
        copies.used(copy)
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(__file__).with_name("site.json").read_text()), sys.argv[1]))
