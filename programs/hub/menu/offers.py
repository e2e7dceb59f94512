"""What a person may choose before a server starts, and whether what was sent is among it; shipped to the hub.

An offer has the shape of KubeSpawner's `profile_list`, which applies what is chosen.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

ONLY = "server"
"""The slug of the profile where a site has no profiles: sizes and images alone."""
SIZE = "size"
IMAGE = "image"
_OF_A_SIZE = frozenset({"cpu_guarantee", "cpu_limit", "mem_guarantee", "mem_limit"})
_TOKEN = "_xsrf"
"""JupyterHub's own field, which it has judged before."""
_PREFIX = "profile-option-"
_LONGEST_QUOTE = 60

Offer = list[dict[str, Any]]
Form = Mapping[str, Sequence[Any]]
Options = dict[str, str]


class NotOffered(Exception):
    """What was sent cannot have come from the page; the message is for the person."""


def offer_for(menu: Mapping[str, Any], groups: Collection[str], images: Sequence[Mapping[str, Any]]) -> Offer:
    """Return what a person in these groups may choose.

    `menu` is what the settings say. `images` are the choices of an image, with the keys `key`, `display_name`,
    `description` and `image`; none where the image is fixed. What a profile sets itself is not asked.
    """
    profiles = _allowed(menu["profiles"], groups) or [{"slug": ONLY, "display_name": "", "kubespawner_override": {}}]
    sizes = _allowed(menu["sizes"], groups)
    return [_profile(each, sizes, images) for each in _with_default(profiles)]


def _profile(
    profile: Mapping[str, Any], sizes: Sequence[Mapping[str, Any]], images: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    override = profile["kubespawner_override"]
    options: dict[str, Any] = {}
    if sizes and not _OF_A_SIZE & set(override):
        choices = {each["name"]: _choice(each, each["kubespawner_override"]) for each in _with_default(sizes)}
        options[SIZE] = {"display_name": "Size", "choices": choices}
    if images and "image" not in override:
        choices = {
            # A digest stands for one image for ever: a node that has it need not ask the registry.
            each["key"]: _choice(each, {"image": each["image"], "image_pull_policy": "IfNotPresent"})
            for each in _with_default(images)
        }
        options[IMAGE] = {"display_name": "Image", "choices": choices}
    return {**profile, "profile_options": options}


def _choice(each: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    shown = {key: each.get(key) for key in ("display_name", "description", "default")}
    return {**shown, "kubespawner_override": dict(override)}


def _allowed(each: Sequence[Mapping[str, Any]], groups: Collection[str]) -> list[Mapping[str, Any]]:
    return [one for one in each if not one["allowed_groups"] or set(one["allowed_groups"]) & set(groups)]


def _with_default(each: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the same with exactly one default: the first that says so, or else the first."""
    chosen = next((index for index, one in enumerate(each) if one.get("default")), 0)
    return [{**one, "default": index == chosen} for index, one in enumerate(each)]


def field(slug: str, option: str) -> str:
    """Return the name of a form's field, which is the one that KubeSpawner's own form has."""
    return f"{_PREFIX}{slug}--{option}"


def questions(offer: Offer, chosen: Options) -> list[dict[str, Any]]:
    """Return what the page asks, in order: nothing where there is one answer. `of` is the place of the profile that a
    question belongs to, None where it is for everyone; `chosen` are fields and values, as `remembered` returns them."""
    several = len(offer) > 1
    asked = [_question("Profile", "profile", "profile", None, {each["slug"]: each for each in offer}, chosen)]
    for number, profile in enumerate(offer):
        for name, option in profile["profile_options"].items():
            legend = option["display_name"] + (f": {profile['display_name']}" if several else "")
            of = number if several else None
            asked.append(
                _question(legend, field(profile["slug"], name), f"{name}-{number}", of, option["choices"], chosen)
            )
    return [each for each in asked if len(each["answers"]) > 1]


def _question(
    legend: str, name: str, identity: str, of: int | None, choices: Mapping[str, Mapping[str, Any]], chosen: Options
) -> dict[str, Any]:
    answers = [
        {
            "value": value,
            "display_name": each["display_name"],
            "description": each.get("description"),
            "chosen": chosen[name] == value,
        }
        for value, each in choices.items()
    ]
    return {"legend": legend, "name": name, "id": identity, "of": of, "answers": answers}


def options_of(form: Form, offer: Offer) -> Options:
    """Return what a form says, in KubeSpawner's words; refuse whatever the page does not have."""
    fields = {"profile": [profile["slug"] for profile in offer]}
    for profile in offer:
        for option, given in profile["profile_options"].items():
            fields[field(profile["slug"], option)] = list(given["choices"])
    for name, values in form.items():
        if name == _TOKEN:
            continue
        if name not in fields:
            raise NotOffered(f"This page does not ask for {quoted(name)}. Please choose again.")
        if len(values) != 1:
            raise NotOffered(f"One value is wanted for {quoted(name)}, and not {len(values)}. Please choose again.")
        _among(values[0], fields[name])
    profile = _profile_of(form["profile"][0] if "profile" in form else None, offer)
    options = {"profile": profile["slug"]}
    for option in profile["profile_options"]:
        if (name := field(profile["slug"], option)) in form:
            options[option] = form[name][0]
    return options


def check(options: Any, offer: Offer) -> None:
    """Refuse options that are not offered, wherever they come from: the API takes them unseen, and a person's last ones
    may be of another day."""
    if not isinstance(options, Mapping):
        raise NotOffered("The options of a server are not understood.")
    profile = _profile_of(options.get("profile"), offer)
    for name, value in options.items():
        if name == "profile":
            continue
        if name not in profile["profile_options"]:
            raise NotOffered(f"The option {quoted(name)} does not exist here. Please choose again.")
        _among(value, profile["profile_options"][name]["choices"])


def still_offered(options: Any, offer: Offer) -> Options:
    """Return what is left of the choice of an earlier start. Where its profile is gone, the rest is held to the default
    one, as on the page."""
    options = options if isinstance(options, Mapping) else {}
    left: Options = {}
    for name in sorted(options, key=lambda name: name != "profile"):  # the profile says which options there are
        with suppress(NotOffered):
            check({**left, name: options[name]}, offer)
            left[name] = options[name]
    return left


def remembered(options: Any, offer: Offer) -> tuple[Options, list[str]]:
    """Return what to choose beforehand on the page, and a sentence for each choice of the last time that is gone."""
    options = options if isinstance(options, Mapping) else {}
    gone: list[str] = []
    try:
        profile = _profile_of(options.get("profile"), offer)
    except NotOffered:
        profile = _profile_of(None, offer)
        gone.append(f"The profile of your last server, {quoted(options['profile'])}, is not offered any more.")
    chosen = {"profile": profile["slug"]}
    for each in offer:
        for name, option in each["profile_options"].items():
            last = options.get(name) if each is profile else None
            if isinstance(last, str) and last in option["choices"]:
                chosen[field(each["slug"], name)] = last
                continue
            chosen[field(each["slug"], name)] = next(key for key, one in option["choices"].items() if one["default"])
            if last is not None:
                what = option["display_name"].lower()
                gone.append(f"The {what} of your last server, {quoted(last)}, is not offered any more.")
    for name in (SIZE, IMAGE):
        if options.get(name) is not None and name not in profile["profile_options"]:
            gone.append(f"The {name} of your last server, {quoted(options[name])}, is not offered any more.")
    return chosen, gone


def _profile_of(slug: Any, offer: Offer) -> dict[str, Any]:
    if slug is None:
        return next(profile for profile in offer if profile["default"])
    for profile in offer:
        if profile["slug"] == slug:
            return profile
    raise NotOffered(f"{quoted(slug)} is not offered to you. Please choose again.")


def _among(value: Any, choices: Collection[str]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise NotOffered(f"{quoted(value)} is not offered to you. Please choose again.")


def quoted(value: Any) -> str:
    """Return what was sent as a short word of printable ASCII, fit for a page and a line of a log."""
    text = ascii(value[: _LONGEST_QUOTE + 1] if isinstance(value, str) else type(value).__name__)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"
