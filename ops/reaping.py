"""Which tags of a repository are old enough to go, and the registry that lets them go."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from programs.hub.menu.image_menu import EXPERIMENTAL, named, ranked
from programs.hub.menu.oci_registry import DIGEST, Registry, RegistryError

KINDS: Final = ("release", "weekly", "daily", EXPERIMENTAL)
"""The kinds of which old ones go. Every other tag stays: nothing says of it that it is one of many."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of a tag."""

    tag: str
    kind: str
    digest: str
    kept: str
    """Why it stays; empty if it goes."""


def kind_of(tag: str) -> str:
    """Return a tag's kind, which is that of the image menu."""
    return named(tag).kind


def newest_first(tags: Iterable[str], kind: str, made: Mapping[str, str]) -> list[str]:
    """Return the tags of a kind, newest first. `made` has when an experimental one was made, in RFC 3339; one of which
    that is not known counts as new. Other kinds have their time in the tag."""
    of_kind = [tag for tag in tags if kind_of(tag) == kind]
    if kind == EXPERIMENTAL:
        return sorted(of_kind, key=lambda tag: (made.get(tag, "9999"), tag), reverse=True)
    return ranked(of_kind, kind)


def verdicts(
    digests: Mapping[str, str],
    keep: Mapping[str, int | None],
    *,
    used: Mapping[str, str],
    named_tags: Mapping[str, str],
    made: Mapping[str, str],
) -> list[Verdict]:
    """Judge each tag of a repository, which stands for a digest.

    `keep` has by kind how many of the newest stay, None for all. `used` has by digest, and `named_tags` by tag, why it
    stays in any case. A registry deletes a digest with all its tags: one that a kept tag stands for stays.
    """
    reasons = {tag: _reason(tag, digest, used, named_tags) for tag, digest in digests.items()}
    for kind, count in keep.items():
        found = newest_first(digests, kind, made)
        for place, tag in enumerate(found):
            if count is None or place < count:
                reasons[tag] = reasons[tag] or ("all are kept" if count is None else f"one of the newest {count}")
    for tag in digests:
        # `ranked` skips what only looks like a kind; it stays.
        if kind_of(tag) not in keep:
            reasons[tag] = reasons[tag] or "is of no kind that goes"
    shared = {digests[tag]: tag for tag, reason in reasons.items() if reason}
    return [
        Verdict(
            tag, kind_of(tag), digest, reasons[tag] or (f"the same as {shared[digest]}" if digest in shared else "")
        )
        for tag, digest in sorted(digests.items())
    ]


def _reason(tag: str, digest: str, used: Mapping[str, str], named_tags: Mapping[str, str]) -> str:
    return named_tags.get(tag) or used.get(digest, "")


def _digests(manifest: Mapping[str, Any]) -> list[str]:
    """Return the digests of an index's images, none for anything else: whoever pushes decides what is in it."""
    listed = manifest.get("manifests")
    found = [str(each.get("digest")) for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return [each for each in found if DIGEST.fullmatch(each)]


class Store(Registry):
    """A registry, with requests for an image's contents and for its deletion."""

    def manifest(self, repository: str, digest: str) -> dict[str, Any]:
        """Return an image's manifest, or its index."""
        return self._object(f"{self.url}/v2/{repository}/manifests/{digest}", repository)

    def made(self, repository: str, digest: str) -> str | None:
        """Return when an image was made, in RFC 3339; None where it does not say."""
        manifest = self.manifest(repository, digest)
        of_index = _digests(manifest)
        if of_index:
            manifest = self.manifest(repository, of_index[0])
        config = manifest.get("config")
        where = str(config.get("digest")) if isinstance(config, dict) else ""
        if not DIGEST.fullmatch(where):
            return None
        said = self._object(f"{self.url}/v2/{repository}/blobs/{where}", repository).get("created")
        return said if isinstance(said, str) and said[:4].isdigit() else None

    def parts(self, repository: str, digest: str) -> list[str]:
        """Return the digests of the images of an index; none for an image."""
        return _digests(self.manifest(repository, digest))

    def delete(self, repository: str, digest: str) -> None:
        """Delete a manifest, and with it every tag of it. The space is free once the registry collects its garbage."""
        where = f"{self.url}/v2/{repository}/manifests/{digest}"
        answer = self._ask("DELETE", where, repository)
        if answer.status in (202, 200, 204, 404):
            return
        if answer.status == 405:
            raise RegistryError(
                f"{where}: the registry deletes nothing; distribution has storage.delete.enabled for it"
            )
        raise RegistryError(f"{where}: status {answer.status}")

    def _object(self, where: str, repository: str) -> dict[str, Any]:
        try:
            found = json.loads(self._get(where, repository).body)
        except ValueError as error:
            raise RegistryError(f"{where}: the answer is not JSON") from error
        if not isinstance(found, dict):
            raise RegistryError(f"{where}: answers {type(found).__name__}, and not an object")
        return found


def survey(store: Store, repository: str, keep: Mapping[str, int | None]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the digests of all tags, and when the experimental ones were made, where some of those may go."""
    resolved = {tag: store.digest(repository, tag) for tag in store.tags(repository)}
    digests = {tag: digest for tag, digest in resolved.items() if digest}
    trials = [tag for tag in digests if kind_of(tag) == EXPERIMENTAL]
    count = keep.get(EXPERIMENTAL)
    if count is None or len(trials) <= count:
        return digests, {}
    return digests, {tag: when for tag in trials if (when := _made(store, repository, digests[tag]))}


def _made(store: Store, repository: str, digest: str) -> str | None:
    try:
        return store.made(repository, digest)
    except RegistryError:
        # Such as a registry whose blobs are elsewhere: what is not known to be old stays.
        return None
