"""What people may choose before their server starts: a profile, a size, an image."""

import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from henhouse_hub import c, site
from image_menu import LastKnown, choices, read_menu, without
from jinja2 import Environment, FileSystemLoader
from kubespawner import KubeSpawner
from menu_files import write_menu
from offers import IMAGE, NotOffered, Offer, check, offer_for, options_of, questions, remembered, still_offered
from steady_spawner import chooses_now, keep_choice, refused

HERE = Path(__file__).parent
STALE_SCANS = 3
"""After so many scans without an answer, the page says how old the list is."""
menu = site["menu"]
images = menu["images"]
last_known = LastKnown(Path(images["file"]), images["repository"]) if images else None
if images and (known_before := read_menu(Path(images["file"]), images["repository"])):
    # People would choose what machines remove until the registry answers.
    left = without(known_before, images["removed"])
    with suppress(OSError):  # a full disk: people choose it until the registry answers, and the hub starts
        if left is None:
            Path(images["file"]).unlink()
        elif left != known_before:
            write_menu(Path(images["file"]), left)
page = Environment(loader=FileSystemLoader(HERE), autoescape=True).get_template("options-form.html")


def offer_of(spawner: KubeSpawner) -> Offer:
    """Return what this server's owner may choose; never waits for anything."""
    known = last_known.menu() if last_known else None
    groups = {group.name for group in spawner.user.groups}
    return told(offer_for(menu, groups, choices(known) if known else []))


def told(offer: Offer) -> Offer:
    """Return an offer with what is known of how soon each image starts, on the machines that a profile's servers can
    run on; unchanged where the nodes are not watched."""
    if "prepuller" not in site:
        return offer
    # Only there where images are pulled to nodes.
    from prepulling import about_start, read_status

    known = read_status(Path(site["prepuller"]["file"]))
    for profile in offer:
        for choice in profile["profile_options"].get(IMAGE, {"choices": {}})["choices"].values():
            start = about_start(choice["kubespawner_override"]["image"], known, profile["slug"])
            choice["description"] = "; ".join(filter(None, (choice["description"], start)))
    return offer


def options_form(spawner: KubeSpawner) -> str:
    """Return the form, with what was chosen the last time; empty where there is nothing to choose."""
    offer = offer_of(spawner)
    chosen, gone = remembered(spawner.user_options, offer)
    asked = questions(offer, chosen)
    if not asked:
        return ""
    return str(page.render(questions=asked, profiles=len(offer), notes=[*gone, *about_images()]))


def about_images() -> list[str]:
    """Return what people have to know of the list of images when the registry does not answer."""
    if last_known is None:
        return []
    known = last_known.menu()
    if known is None:
        return [f"The list of images is not known yet. Until it is, servers start with {site['server']['image']}."]
    if time.time() - known.scanned < STALE_SCANS * images["refresh_seconds"]:
        return []
    day = datetime.fromtimestamp(known.scanned, UTC)
    return [f"The list of images is of {day:%d %B %Y, %H:%M} UTC; the registry has not answered since."]


def options_from_form(form: dict[str, list[Any]], spawner: KubeSpawner) -> dict[str, str]:
    """Return what was chosen on the page; refuse what the page does not have."""
    try:
        return options_of(form, offer_of(spawner))
    except NotOffered as reason:
        raise refused(str(reason)) from reason


def apply_user_options(spawner: KubeSpawner, options: Any) -> None:
    """See to it that a start uses what is offered, wherever its options come from, and keep the offer for the start."""
    offer = offer_of(spawner)
    spawner.remarks = ()
    chosen = chooses_now(spawner)
    spawner.chosen_by_link = False
    if not chosen:
        _, spawner.remarks = remembered(options, offer)
        left = still_offered(options, offer)
        if left != options:
            keep_choice(spawner, left)
        options = left
    try:
        check(options, offer)
    except NotOffered as reason:
        keep_choice(spawner, None)
        raise refused(str(reason)) from reason
    spawner.offer_of_this_start = offer


def profile_list(spawner: KubeSpawner) -> Offer:
    """Return the offer that the options were held to: the menu may have changed while the home was made."""
    kept: Offer | None = vars(spawner).pop("offer_of_this_start", None)
    return kept or offer_of(spawner)


class Spawner(c.JupyterHub.spawner_class):
    """Also what a link says, such as /hub/spawn?profile=gpu, is held to what is offered."""

    def options_from_query(self, query: dict[str, list[Any]]) -> Any:
        """Return what was chosen by a link."""
        options = options_from_form(query, self)
        self.chosen_by_link = True
        return options


c.JupyterHub.spawner_class = Spawner
c.KubeSpawner.profile_list = profile_list
c.KubeSpawner.options_form = options_form
c.KubeSpawner.options_from_form = options_from_form
c.KubeSpawner.apply_user_options = apply_user_options

if images:
    c.JupyterHub.services.append(
        {"name": "image-menu", "command": [sys.executable, str(HERE / "scan_images.py")]},
    )
