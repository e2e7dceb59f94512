"""Every text of the project is in plain English: phrases that readers stumbled on do not come back."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.stacks.sites import ROOT

GAP: Final = r"""(?:_|\s+(?:(?:#|//|\*)\s+)?|\s?["']\s+[fr]*["']\s?)"""
"""Between two words: a space, the end of a line with the mark of a comment on the next, an underscore in a name, or the
seam of two strings."""
NO_NOUN: Final = "(?:after|and|as|at|before|but|by|for|from|if|in|into|like|of|on|or|than|that|to|when|with|without)"
"""What stands after `one` where it counts nothing: "one at a time", "one image at a time", "one with a password"."""
FAMILIES: Final[dict[str, str]] = {
    "again, re-read, rebuilt, renewed": r"anew",
    "who, or a passive": rf"whom|whose{GAP}word",
    "a person, another one, or a passive": r"somebody('?s)?",
    "no one, no machine, no process, or a passive": r"nobody('?s)?",
    "omitted, ignored": rf"left{GAP}out|leaves?{GAP}out",
    "continues, keeps running, resumes": rf"(go|goes|going|went|gone){GAP}on",
    "is not a": rf"(?<!there[\s_])(is|are|was|were){GAP}no{GAP}(?!longer)[a-z]+",
    "stops managing, closes": rf"(lets?|letting){GAP}go{GAP}of",
    "one X per Y": rf"(?<!of[\s_])one{GAP}([a-z]+{GAP})?(?!{NO_NOUN}{GAP})[a-z]*[^\W\ds_]{GAP}an?{GAP}[a-z]+",
    "user servers": rf"people'?s?'?{GAP}servers",
    "without drift, as declared": rf"as{GAP}(it|they){GAP}should{GAP}be|as{GAP}the{GAP}stack{GAP}left",
}
"""Phrases, as regular expressions without capitals, by what to write in their place."""
PHRASES: Final = re.compile("|".join(rf"(?<![^\W_])(?:{each})(?![^\W_])" for each in FAMILIES.values()), re.IGNORECASE)

ALLOWED: Final[dict[str, tuple[str, ...]]] = {
    # A patch of the kernel: each edit of it builds the kernel of every machine again.
    "lab/machines/uml/cpu-mhz.patch": ("one turn a cycle",),
    # The Unix user that owns nothing, nobody(7), and what runs as it.
    "lab/mirror/images/configurable-http-proxy/Containerfile": ("runs as nobody (65534)",),
    "programs/homes/store.py": ("nobody(7)",),
    "programs/hub/identity.py": ("nobody:x:65534:65534:nobody:/nonexistent",),
    "tests/components/network/edge/test_config.py": ('"user nobody"',),
    "tests/programs/hub/test_config.py": ('"users", "nobody"]',),
}
"""Parts of lines that may stay, by file: names and words that are not ours. One that is not needed fails the test."""
NOT_OURS: Final = ("uv.lock", "tests/urns/", "tests/test_english.py")
"""Lock files and recorded names, which are not written by hand, and this file, which has to name the phrases."""


def phrases(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines on which a phrase begins, with their numbers."""
    lines = text.split("\n")
    for number in sorted({text.count("\n", 0, found.start()) for found in PHRASES.finditer(text)}):
        yield number + 1, lines[number].strip()


def texts(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every file that git tracks, without those that are not text or not ours."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True).stdout
    for path in filter(None, listed.split("\0")):
        file = root / path
        if path.startswith(NOT_OURS) or not file.is_file():
            continue
        content = file.read_bytes()
        if b"\0" not in content:
            yield path, content.decode()


def judged(files: Mapping[str, str], allowed: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return what is wrong: phrases as `path:line: the line`, and allowed parts that no phrase needs."""
    wrong, needed = [], set()
    for path, text in files.items():
        for number, line in phrases(text):
            excuses = {(path, part) for part in allowed.get(path, ()) if part in line}
            needed |= excuses
            if not excuses:
                wrong.append(f"{path}:{number}: {line}")
    every = [(path, part) for path, parts in allowed.items() for part in parts]
    return [*wrong, *(f"{path}: {part} is allowed and not there" for path, part in every if (path, part) not in needed)]


def test_every_text_is_in_plain_english() -> None:
    assert judged(dict(texts(ROOT)), ALLOWED) == []


@pytest.mark.parametrize(
    "text",
    [
        "The machine was installed anew.",
        "def test_hub_starts_anew() -> None:",
        "the person of whom it is said",
        "Somebody else's.",
        "s3://somebodys-states",
        "NOBODY = 1",
        "def test_nobody_waits() -> None:",
        "Left out, it is 5.",
        "[[left_out]]",
        "the role leaves out the rest",
        "the hub goes\non",
        "# the hub goes\n    # on",
        "'x' is no name",
        "were no\n  // names",
        '"x is no "\n        f"name"',
        "test_x_is_no_name",
        "it lets go of the directory",
        "one settings file an environment, one sentence a disk",
        "one policy a namespace",
        "people's servers",
        "all is as it should be",
        "not as the stack left it",
    ],
)
def test_phrase_is_found(text: str) -> None:
    assert len(list(phrases(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "There is no room, and it is no longer there.",
        "test_there_is_no_page",
        "one image at a time; one with a password; one lacks an image; one start after a new one",
        "budgets.one_at_a_time(labels)",
        "Machines of one kind share a row.",
        "the dragon, the wagon on it",
        "it goes only so far, and went one by one",
        "a person's server; user servers; people's homes",
        "whole, wholesome, renewed",
    ],
)
def test_other_words_are_not(text: str) -> None:
    assert list(phrases(text)) == []


def test_allowed_part_excuses_its_line_and_has_to_be_needed() -> None:
    files = {"a.py": "# runs as nobody (65534)\n# nobody knows\n"}
    assert judged(files, {"a.py": ("as nobody (65534)",)}) == ["a.py:2: # nobody knows"]
    assert judged(files, {"a.py": ("as nobody", "# nobody", "of nobody")}) == [
        "a.py: of nobody is allowed and not there"
    ]
    assert judged({}, {"gone.py": ("x",)}) == ["gone.py: x is allowed and not there"]
