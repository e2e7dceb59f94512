"""Reap: delete old tags of the image menu's repository from its registry."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict

from converge.stack import StackClient, StateError
from ops.exits import Exit
from ops.nodes import NodesError, images_on_nodes
from ops.reaping import Store, Verdict, survey, verdicts
from ops.tables import console, table
from programs.hub.image_names import repository_of
from programs.hub.menu.image_menu import EXPERIMENTAL, ranked
from programs.hub.menu.oci_registry import RegistryError
from stacks.load import parse_settings, tree_of
from stacks.problems import SettingsError
from stacks.registry import tag_source
from stacks.settings import Site
from stacks.settings.image_menu import ImageMenuSettings, has_tag


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Put the command on the command line."""
    command = commands.add_parser(
        "reap",
        help="name old tags of the image menu's repository, or delete them",
        description="Without --delete it changes nothing. What is in the menu, on a node, or the same image as a tag "
        "that stays, stays. Ends with 0 when nothing is to go or all of it went, 1 when something would go, 2 when "
        "something could not be looked at or deleted. REGISTRY_PASSWORD has the password of --user.",
    )
    command.add_argument("--stack", help="the stack (default: the selected one)")
    command.add_argument("--json", action="store_true", help="print data instead of a table")
    command.add_argument("--delete", action="store_true", help="delete what would go")
    for option, default in (("releases", "all"), ("weeklies", "78"), ("dailies", "15"), (EXPERIMENTAL, "10")):
        command.add_argument(
            f"--{option}", type=_count, default=default, metavar="N|all", help=f"how many stay (default: {default})"
        )
    command.add_argument("--user", help="who may delete in the registry (default: the account of the image menu)")
    return command


def _count(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text}: accepted is a number, or all")
    return int(text)


def run(options: argparse.Namespace) -> Exit:
    """Do it, and return the exit status."""
    try:
        return _reap(options)
    except (StateError, SettingsError, NodesError, RegistryError) as error:
        print(error, file=sys.stderr)
        return Exit.UNSEEN


def _reap(options: argparse.Namespace) -> Exit:
    stack = StackClient(options.stack)
    site = parse_settings(tree_of(stack.config()))
    menu = site.hub.image_menu
    if menu is None:
        raise StateError("this stack has no hub.image_menu, so it has no repository to look at")
    source = tag_source(site, menu)
    store = Store(
        source.url, _account(menu, options.user), source.token_hosts, menu.certificate_authority, actions="pull,delete"
    )
    on_nodes = asyncio.run(images_on_nodes(stack.export(), menu.repository))
    tags, digests = named_in(site)
    used = {**{digest: f"is on {node}" for digest, node in on_nodes.items()}, **digests}
    judged = judge(store, source.path, menu, keep_of(options), used, tags, site.hub.removed_digests)
    going = sorted({each.digest for each in judged if not each.kept})
    gone, problem = _delete(store, source.path, going) if options.delete else (frozenset(), None)
    if options.json:
        told = [{**asdict(each), "deleted": each.digest in gone} for each in judged]
        print(json.dumps({"deleted": options.delete, "tags": told}, indent=2))
    else:
        show(judged, menu.repository, gone, asked=options.delete)
    if problem:
        print(problem, file=sys.stderr)
        return Exit.UNSEEN
    return Exit.DIFFERENT if going and not options.delete else Exit.SAME


def _delete(store: Store, path: str, going: Sequence[str]) -> tuple[frozenset[str], RegistryError | None]:
    """Delete one after the other up to the first that the registry keeps; return what is gone, and why it kept that."""
    gone: set[str] = set()
    for digest in going:
        try:
            store.delete(path, digest)
        except RegistryError as error:
            return frozenset(gone), error
        gone.add(digest)
    return frozenset(gone), None


def keep_of(options: argparse.Namespace) -> dict[str, int | None]:
    """Return by kind how many stay."""
    return {
        "release": options.releases,
        "weekly": options.weeklies,
        "daily": options.dailies,
        EXPERIMENTAL: options.experimental,
    }


def _account(menu: ImageMenuSettings, user: str | None) -> tuple[str, str] | None:
    if user:
        password = os.environ.get("REGISTRY_PASSWORD")
        if not password:
            raise RegistryError(f"--user {user}: its password is wanted in REGISTRY_PASSWORD")
        return user, password
    return (menu.user, menu.password.get_secret_value()) if menu.user and menu.password else None


def named_in(site: Site) -> tuple[dict[str, str], dict[str, str]]:
    """Return by tag and by digest what the settings name of the menu's repository beside the menu."""
    hub = site.hub
    images = [hub.server_image, *(each.kubespawner_override.image or "" for each in hub.profile_list)]
    images += [each.image for each in hub.pre_puller.extra_images.values()]
    tags: dict[str, str] = {}
    digests: dict[str, str] = {}
    for image in images:
        name, _, digest = image.partition("@")
        tag = name.rpartition(":")[2] if has_tag(name) else ""
        if hub.image_menu and image and repository_of(image) == hub.image_menu.repository:
            tags |= {tag: "is in the settings"} if tag and not digest else {}
            digests |= {digest: "is in the settings"} if digest else {}
    return tags, digests


def in_menu(menu: ImageMenuSettings, tags: Collection[str]) -> dict[str, str]:
    """Return by tag that it is in the menu, whose order of experimental images is not by their age."""
    offered = [
        tag for kind, count in menu.counts.items() for tag in ranked(tags, kind, without=menu.recommended)[:count]
    ]
    return dict.fromkeys([*offered, *([menu.recommended] if menu.recommended else [])], "is in the menu")


def judge(
    store: Store,
    path: str,
    menu: ImageMenuSettings,
    keep: Mapping[str, int | None],
    used: Mapping[str, str],
    named_tags: Mapping[str, str],
    removed: Collection[str] = (),
) -> list[Verdict]:
    """Ask the registry, and judge each tag. `used` and `named_tags` say why a digest and a tag stay, in any case;
    `removed` are digests in whose place the menu has the next ones."""
    digests, made = survey(store, path, keep)
    offered = [tag for tag, digest in digests.items() if digest not in removed]
    named_tags = {**in_menu(menu, offered), **named_tags}
    first = verdicts(digests, keep, used=used, named_tags=named_tags, made=made)
    going = {each.digest for each in first if not each.kept}
    if not going:
        return first
    # An image may also be a part of an index that stays.
    staying = {each.digest: each.tag for each in first if each.kept}
    parts = {part: f"is a part of {tag}" for digest, tag in staying.items() for part in store.parts(path, digest)}
    return verdicts(digests, keep, used={**parts, **used}, named_tags=named_tags, made=made)


def show(judged: Sequence[Verdict], repository: str, gone: Collection[str], *, asked: bool) -> None:
    """Print the answer for people. `gone` are the digests that were deleted, `asked` whether any were to be."""
    to = console()
    going = [each for each in judged if not each.kept]
    stay = len(judged) - len(going)
    if not going:
        to.print(f"Nothing of {repository} is to go: {stay} tags stay.")
        return
    rows = [(each.tag, each.kind, each.digest, "yes" if each.digest in gone else "no") for each in going]
    to.print(table(("tag", "kind", "digest", "deleted"), rows))
    if asked:
        deleted = sum(each.digest in gone for each in going)
        to.print(
            f"Deleted {deleted} of {len(going)} tags of {repository}; {stay} stay. The registry's garbage collection "
            "frees space."
        )
    else:
        to.print(f"{len(going)} tags of {repository} would go, {stay} stay. To delete them: the same with --delete")
