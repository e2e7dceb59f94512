"""What a folder of a site's may have for the hub's pages: where each file has its place, and which templates work.

Used on the computer that runs `pulumi up` for a folder beside the stack's file, and in the hub's pod for a repository.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from jinja2 import Environment, TemplateSyntaxError
from jinja2.meta import find_referenced_templates
from jinja2.nodes import Block, Extends, Template

LONGEST: Final = 200
"""Characters of a file's path; a ConfigMap's key has at most 253, and ours is longer than the path."""
LOGO: Final = re.compile(r"logo\.(svg|png|jpg|jpeg|gif|webp)")
TEMPLATE: Final = re.compile(r"templates/[A-Za-z0-9_][A-Za-z0-9_-]*\.html")
PAGE: Final = re.compile(r"pages/(?P<name>[a-z][a-z0-9-]{0,30})\.html")
STATIC: Final = re.compile(r"static(/[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*)+")
LAYOUT: Final = (
    "logo.svg (or .png, .jpg, .gif, .webp), templates/NAME.html, pages/NAME.html and files below static/, with names "
    "of letters, digits, -, _ and single dots"
)
TAKEN: Final = (
    *("accept-share", "admin", "api", "authorize", "authorized", "change-password", "confirm", "discard", "error"),
    *("health", "home", "login", "logo", "logout", "metrics", "oauth-callback", "security", "signup", "site", "spawn"),
    *("spawn-pending", "static", "token", "user", "user-redirect"),
)
"""Where JupyterHub and its logins answer: a page of the site's of that name would never be seen."""
OURS: Final = ("images",)
"""Where henhouse's own programs answer, with whatever a site has switched on: also what it may switch on later."""
UPSTREAM: Final[Mapping[str, str]] = {
    "page.html": "",
    "404.html": "error.html",
    **dict.fromkeys(
        (
            *("accept-share.html", "admin.html", "error.html", "home.html", "login.html", "logout.html"),
            *("not_running.html", "oauth.html", "spawn.html", "spawn_pending.html", "stop_pending.html", "token.html"),
        ),
        "page.html",
    ),
}
"""JupyterHub's own templates, and what each extends."""
UPSTREAM_OF_NATIVE: Final[Mapping[str, str]] = dict.fromkeys(
    (
        *("authorization-area.html", "change-password-admin.html", "change-password.html", "my_message.html"),
        *("native-login.html", "signup.html"),
    ),
    "page.html",
)
"""NativeAuthenticator's templates; its page.html is never seen."""
BLOCKS: Final = frozenset(
    (
        *("announcement", "client_row", "error_detail", "expiration_options", "favicon", "footer", "h1_error"),
        *("header", "heading", "login", "login_container", "login_terms", "login_terms_text", "login_widget", "logo"),
        *("main", "message", "meta", "nav_bar", "nav_bar_left_items", "nav_bar_right_items", "otp_input"),
        *("otp_input_attrs", "password_input", "password_input_attrs", "script", "scripts", "service", "start_button"),
        *("stylesheet", "theme_toggle", "title", "token_row", "username_input", "username_input_attrs"),
    )
)
"""Parts of both that a template which extends one may replace."""


def pages_in(names: Iterable[str]) -> Mapping[str, str]:
    """Return the site's whole pages: title by name, in order of names."""
    found = (PAGE.fullmatch(name) for name in sorted(names))
    return {each["name"]: _title(each["name"]) for each in found if each}


def _title(name: str) -> str:
    return "FAQ" if name == "faq" else name.replace("-", " ").capitalize()


def logo_in(names: Iterable[str]) -> str | None:
    """Return the file name of the site's logo."""
    return next((name for name in names if LOGO.fullmatch(name)), None)


def is_template(name: str) -> bool:
    """Return whether a file of the folder is text that JupyterHub fills in."""
    return bool(TEMPLATE.fullmatch(name) or PAGE.fullmatch(name))


def faults(files: Mapping[str, bytes], own: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the files of a folder, by path in it; `own` are henhouse's templates by file name."""
    return [*_misplaced(files), *_unsound(files, own)]


def _misplaced(files: Mapping[str, bytes]) -> Iterator[str]:
    logos = [name for name in files if LOGO.fullmatch(name)]
    if len(logos) > 1:
        yield f"{' and '.join(logos)} are two logos: keep one"
    for name in files:
        if len(name) > LONGEST or not (name in logos or is_template(name) or STATIC.fullmatch(name)):
            yield f"{name} has no place there: there may be {LAYOUT}"
        if (page := PAGE.fullmatch(name)) and page["name"] in TAKEN:
            yield f"{name} would be at /hub/{page['name']}, which is JupyterHub's own: choose another name"
        if page and page["name"] in OURS:
            yield f"{name} would be at /hub/{page['name']}, which is henhouse's own: choose another name"


def _unsound(files: Mapping[str, bytes], own: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with templates; only what would certainly end in an error page is found."""
    own_trees = {name: _ENVIRONMENT.parse(text) for name, text in own.items()}
    uses = {path: _used_by(tree) for name, tree in own_trees.items() for path in (name, f"henhouse/{name}")}
    for name, base in (*UPSTREAM.items(), *UPSTREAM_OF_NATIVE.items()):
        uses[f"templates/{name}"] = [base] if base else []
        uses.setdefault(name, [base] if base else [])
    trees = dict[str, Template]()
    for name, content in files.items():
        if not is_template(name):
            continue
        try:
            tree = _ENVIRONMENT.parse(content.decode())
            _ENVIRONMENT.compile(tree)
        except UnicodeDecodeError as error:
            yield f"{name}, line {content[: error.start].count(10) + 1}: is not UTF-8"
            continue
        except TemplateSyntaxError as error:
            yield f"{name}, line {error.lineno}: {error.message}"
            continue
        except (SyntaxError, RecursionError, ValueError) as error:
            yield f"{name}: is too deep or too large for a template ({error})"
            continue
        uses[name.removeprefix("templates/")] = _used_by(tree)
        trees[name] = tree
    known = BLOCKS.union(*map(_blocks, own_trees.values()))
    blocks = {name: _blocks(tree) for name, tree in trees.items()}
    for name, tree in trees.items():
        yield from _unseen(name, tree, known.union(*(each for other, each in blocks.items() if other != name)))
    for name in files:
        if is_template(name):
            yield from _lost(name, uses)
            yield from _misspelt(name, uses, own)


def _misspelt(file: str, uses: Mapping[str, list[str]], own: Iterable[str]) -> Iterator[str]:
    """Refuse a template that is almost called as a page and that nothing uses: the page would stay as it is."""
    name = file.removeprefix("templates/")
    pages = {*UPSTREAM, *UPSTREAM_OF_NATIVE, *own}
    if not TEMPLATE.fullmatch(file) or name in pages or any(name in used for used in uses.values()):
        return
    if near := get_close_matches(name.lower().replace("-", "_"), pages, n=1, cutoff=0.85):
        yield f"{file} would never be shown: no page has that name, and nothing uses it. Is {near[0]} meant?"


def _unseen(file: str, tree: Template, known: Collection[str]) -> Iterator[str]:
    """Refuse a block that is almost called as one of the page below: Jinja shows nothing of it, and says nothing."""
    if tree.find(Extends) is None:
        return
    unknown = [each for each in tree.body if isinstance(each, Block) and each.name not in known]
    for each in unknown:
        if near := get_close_matches(each.name, sorted(known), n=1, cutoff=0.85):
            yield (
                f"{file}, line {each.lineno}: no page has a block {each.name}, so nothing of it would be shown. "
                f"Is {near[0]} meant?"
            )


def _blocks(tree: Template) -> set[str]:
    return {each.name for each in tree.find_all(Block)}


def _lost(file: str, uses: Mapping[str, list[str]]) -> Iterator[str]:
    name = file.removeprefix("templates/")
    for used in uses.get(name, ()):
        if used not in uses:
            near = ", ".join(sorted(each for each in uses if "/" not in each))
            yield f"{file} uses {used}, which there is not; there are {near}, JupyterHub's own as templates/NAME"
        elif name in _reached(used, uses):
            yield (
                f"{file} leads back to itself by {used}: extend henhouse/{name} or templates/{name} (JupyterHub's "
                "own), not the name that this file takes"
            )


def _reached(name: str, uses: Mapping[str, list[str]]) -> set[str]:
    found, ahead = set[str](), [name]
    while ahead:
        if (each := ahead.pop()) not in found:
            found.add(each)
            ahead += uses.get(each, ())
    return found


_ENVIRONMENT: Final = Environment(autoescape=True, optimized=False)  # it would compute what a template multiplies


def _used_by(tree: Template) -> list[str]:
    """Return the templates that a template extends, includes or imports, without those whose name it computes."""
    return [name for name in find_referenced_templates(tree) if name]
