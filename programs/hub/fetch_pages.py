"""Brings the hub's pages from a git repository; an init container, which ends before JupyterHub starts.

`fetch_pages.py rehearse`: the commit has to be there and its pages have to work; else this ends with 1, and says why.
`fetch_pages.py start`: whatever goes wrong, the hub starts, with the last pages that it had.

A commit is fetched once. Its pages are kept on the hub's volume, so that a hub starts while the repository is away.
"""

import base64
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from git_commit import Repository, Unusable
from keeping import write_whole
from site_pages import faults
from termination import tell, without_secrets

PATIENCE_SECONDS: Final[Mapping[str, int]] = {"rehearse": 240, "start": 60}
"""How long the fetch may take: less than Pulumi waits for a Job, and than people would wait for a hub."""
SUFFIX: Final = ".json"
COPIES_KEPT: Final = 3
"""Of those that a hub started with: the one in use, and two to go back to without the repository."""
UNUSED_SECONDS: Final = 24 * 3600
"""An `up` that fetched has long ended by then, whether a hub started with it or not."""
SHOWN: Final = "shown.json"
"""Beside the pages: which copy they are, and why they are not those of the wanted commit."""


@dataclass(frozen=True)
class Copies:
    """The pages that were fetched, on the hub's volume: a file for each, whose time says when a hub started with it."""

    directory: Path

    def read(self, name: str) -> Mapping[str, bytes] | None:
        """Return the files of a copy by path; None where there is none, or not as it was written."""
        try:
            data = json.loads(self._file(name).read_text())
            files = {path: base64.b64decode(text) for path, text in data["files"].items()}
            return files if data["digest"] == _digest(files) else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def add(self, name: str, files: Mapping[str, bytes]) -> None:
        """Keep these files as a copy that no hub has started with yet."""
        self.directory.mkdir(exist_ok=True)
        texts = {path: base64.b64encode(content).decode() for path, content in files.items()}
        write_whole(self._file(name), {"files": texts, "digest": _digest(files)})
        os.utime(self._file(name), (0, 0))

    def proven(self) -> list[str]:
        """Return the copies that hubs started with, the last one first."""
        found = ((each.stat().st_mtime, each.name.removesuffix(SUFFIX)) for each in self._all())
        return [name for when, name in sorted(found, reverse=True) if when]

    def used(self, name: str) -> None:
        """Remember that a hub starts with this copy, and drop what is not gone back to.

        That is all but the last ones of those that hubs started with, and what an `up` fetched that then failed.
        """
        # After every other also where the clock was ahead for a while.
        newest = max((each.stat().st_mtime for each in self._all()), default=0.0)
        os.utime(self._file(name), (0, max(time.time(), newest + 1)))
        for old in self.proven()[COPIES_KEPT:]:
            self._file(old).unlink(missing_ok=True)
        for each in self._all():
            if not each.stat().st_mtime and each.stat().st_ctime < time.time() - UNUSED_SECONDS:
                each.unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self.directory / f"{name}{SUFFIX}"

    def _all(self) -> list[Path]:
        return [each for each in self.directory.glob(f"[!.]*{SUFFIX}") if each.is_file()]


def _digest(files: Mapping[str, bytes]) -> str:
    told = json.dumps({path: sha256(content).hexdigest() for path, content in sorted(files.items())})
    return sha256(told.encode()).hexdigest()


def checked(files: Mapping[str, bytes], templates: Path) -> Mapping[str, bytes]:
    """Return the files; raise Unusable where some would not work beside henhouse's own `templates`."""
    own = {each.name: each.read_text() for each in templates.glob("*.html")}
    if found := faults(files, own):
        raise Unusable("; ".join(found))
    return files


def show(files: Mapping[str, bytes], place: Path, shown: str | None, problem: str | None) -> None:
    """Put pages where the hub looks for them, and beside them what an administrator is told of them."""
    shutil.rmtree(place, ignore_errors=True)  # a container that is started again has it from before
    place.mkdir(exist_ok=True)
    for path, content in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        with (place / path).open("wb") as file:
            file.write(content)
    write_whole(place.with_name(SHOWN), {"shown": shown, "problem": problem})


def wanted_files(repository: Repository, copies: Copies, templates: Path, *, again: bool) -> Mapping[str, bytes]:
    """Return the files of the wanted commit, which is fetched where there is no whole copy of it.

    Raise Unusable or OSError where it cannot be had. To check `again` is for a copy that an older henhouse has checked.
    """
    files = copies.read(repository.copy)
    if files is None:
        files = checked(repository.files(), templates)
        copies.add(repository.copy, files)
    return checked(files, templates) if again else files


def last_files(copies: Copies) -> tuple[str | None, Mapping[str, bytes]]:
    """Return the copy that a hub started with last, by its name, and its files; none where there is no whole one."""
    for name in copies.proven():
        if files := copies.read(name):
            return name, files
    return None, {}


def rehearse(repository: Repository, copies: Copies, templates: Path, place: Path) -> None:
    """Show the wanted commit's pages; raise what is wrong with them."""
    show(wanted_files(repository, copies, templates, again=True), place, repository.copy, None)


def start(repository: Repository, copies: Copies, templates: Path, place: Path, masked: Callable[[str], str]) -> None:
    """Show the wanted commit's pages, or else the last ones; `masked` takes secrets out of a text."""
    shown: str | None = repository.copy
    problem = None
    try:
        files = wanted_files(repository, copies, templates, again=False)
    except Exception as error:  # whatever it is, people need their hub
        problem = masked(_reason(error))
        print(problem, flush=True)
        shown, files = last_files(copies)
    show(files, place, shown, problem)
    if shown:
        with suppress(OSError):  # a disk that cannot be written to, or a copy of another owner's
            copies.used(shown)


def _reason(error: Exception) -> str:
    said = str(error) if isinstance(error, Unusable) else f"{type(error).__name__}: {error}"
    return f"hub.pages_repository: {said}"


def main(site: Mapping[str, Any], purpose: str) -> int:
    """Do what the container is for, and return the exit status."""
    pages, secrets = site["pages"], Path(site["secrets_directory"])
    repository = Repository(**pages["repository"], until=time.monotonic() + PATIENCE_SECONDS[purpose])
    copies, templates, place = Copies(Path(pages["copies"])), Path(pages["directory"], "henhouse"), Path(pages["site"])
    if purpose == "start":
        start(repository, copies, templates, place, lambda text: without_secrets(text, secrets))
        return 0
    try:
        rehearse(repository, copies, templates, place)
    except Exception as error:
        reason = without_secrets(_reason(error), secrets)
        print(reason, flush=True)
        tell(reason, secrets)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(__file__).with_name("site.json").read_text()), sys.argv[1]))
