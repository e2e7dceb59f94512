"""`pulumi-resource-random`: random values that stay as they are until an input changes."""

import base64
import random
import secrets
import string
import uuid
from typing import Any, ClassVar, Final

from engine.standins.diffs import Diff
from engine.standins.resources import Call, Invalid, Resource
from engine.standins.server import Provider, serve
from engine.standins.values import UNKNOWN, Props, without_nulls

_SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"
_CLASSES: Final = ("lower", "upper", "numeric", "special")
_BCRYPT_COST: Final = 10


class Random(Resource):
    """Every input forces a new value. Defaults appear in the state only, not among the inputs."""

    defaults: ClassVar[Props] = {}

    async def check(self, call: Call, olds: Props, news: Props) -> Props:
        return without_nulls(news)

    def complete(self, news: Props) -> Props:
        """Return the inputs with their defaults."""
        return {**self.defaults, **news}

    async def diff(self, call: Call, state: Props, olds: Props, news: Props) -> Diff:
        changes = (await super().diff(call, state, self.complete(olds), self.complete(news))).changes
        return Diff(changes, list(changes), detailed=False)

    async def preview_create(self, call: Call, news: Props) -> Props:
        return {**await super().preview_create(call, self.complete(news)), "id": UNKNOWN}

    async def create(self, call: Call, news: Props) -> tuple[str, Props]:
        full = self.complete(news)
        id, made = self.make(full)
        return id, {**full, **made, "id": id}

    def make(self, news: Props) -> tuple[str, Props]:
        """Make a fresh value and return its id and outputs."""
        raise NotImplementedError


def characters(news: Props) -> str:
    """`length` characters of the allowed classes, with at least the wanted number of each."""
    alphabets = {
        "lower": string.ascii_lowercase,
        "upper": string.ascii_uppercase,
        "numeric": string.digits,
        "special": news.get("overrideSpecial") or _SPECIAL,
    }
    chosen = [
        secrets.choice(alphabet) for name, alphabet in alphabets.items() for _ in range(news[f"min{name.capitalize()}"])
    ]
    allowed = "".join(alphabet for name, alphabet in alphabets.items() if news[name])
    chosen += [secrets.choice(allowed) for _ in range(news["length"] - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    return "".join(chosen)


class RandomString(Random):
    """Characters of chosen classes."""

    outputs: ClassVar[tuple[str, ...]] = ("result",)
    defaults: ClassVar = {
        **dict.fromkeys(_CLASSES, True),
        **{f"min{name.capitalize()}": 0 for name in _CLASSES},
    }

    async def check(self, call: Call, olds: Props, news: Props) -> Props:
        given = self.complete(without_nulls(news))
        counts = [given["length"], *(given[f"min{name.capitalize()}"] for name in _CLASSES)]
        if UNKNOWN not in counts and sum(counts[1:]) > counts[0]:
            raise Invalid(("length", f"{counts[0]} characters cannot hold the {sum(counts[1:])} that are required"))
        if not any(given[name] is not False for name in _CLASSES):
            raise Invalid(("length", "at least one class of characters must be allowed"))
        return without_nulls(news)

    def complete(self, news: Props) -> Props:
        """Return the inputs with their defaults; the state has both `numeric` and its deprecated name `number`."""
        numeric = news.get("numeric", news.get("number", True))
        return {**self.defaults, **news, "number": numeric, "numeric": numeric}

    def make(self, news: Props) -> tuple[str, Props]:
        text = characters(news)
        return text, {"result": text}


class RandomPassword(RandomString):
    """As a string, but secret, and with its bcrypt hash."""

    outputs: ClassVar[tuple[str, ...]] = ("result", "bcryptHash")
    hidden = frozenset(outputs)

    def make(self, news: Props) -> tuple[str, Props]:
        import bcrypt

        text = characters(news)
        digest = bcrypt.hashpw(text.encode()[:72], bcrypt.gensalt(_BCRYPT_COST, b"2a"))  # bcrypt reads 72 bytes
        return "none", {"result": text, "bcryptHash": digest.decode()}


class RandomBytes(Random):
    """Secret bytes. As with the official provider their base64 text is also the id, which no state encrypts
    (`computeRandomBytesID` in provider/resources.go of pulumi/pulumi-random).
    """

    outputs: ClassVar = ("base64", "hex")
    hidden = frozenset(outputs)

    def make(self, news: Props) -> tuple[str, Props]:
        raw = secrets.token_bytes(news["length"])
        encoded = base64.b64encode(raw).decode()
        return encoded, {"base64": encoded, "hex": raw.hex()}


class RandomId(Random):
    """An identifier of so many bytes, which is not secret."""

    outputs: ClassVar = ("b64Std", "b64Url", "dec", "hex")

    def make(self, news: Props) -> tuple[str, Props]:
        raw, prefix = secrets.token_bytes(news["byteLength"]), news.get("prefix") or ""
        url = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        values = {
            "b64Std": base64.b64encode(raw).decode(),
            "b64Url": url,
            "dec": str(int.from_bytes(raw, "big")),
            "hex": raw.hex(),
        }
        return url, {name: prefix + value for name, value in values.items()}


def _source(seed: str | None) -> random.Random:
    return random.Random(seed) if seed else secrets.SystemRandom()


class RandomInteger(Random):
    """A number between two others, both included."""

    outputs: ClassVar = ("result",)

    def make(self, news: Props) -> tuple[str, Props]:
        number = _source(news.get("seed")).randint(news["min"], news["max"])
        return str(number), {"result": number}


class RandomShuffle(Random):
    """Some of a list's items in another order."""

    outputs: ClassVar = ("results",)

    def make(self, news: Props) -> tuple[str, Props]:
        items: list[Any] = list(news["inputs"])
        _source(news.get("seed")).shuffle(items)
        return "-", {"results": items[: news.get("resultCount", len(items))]}


class RandomUuid(Random):
    """Sixteen random bytes in the form of a UUID, which say of no version (`GenerateUUID`, hashicorp/go-uuid)."""

    outputs: ClassVar = ("result",)

    def make(self, news: Props) -> tuple[str, Props]:
        text = str(uuid.UUID(bytes=secrets.token_bytes(16)))
        return text, {"result": text}


def _token(kind: type[Random]) -> str:
    name = kind.__name__
    return f"random:index/{name[0].lower()}{name[1:]}:{name}"


_KINDS: Final = (RandomString, RandomPassword, RandomBytes, RandomId, RandomInteger, RandomShuffle, RandomUuid)


def main(version: str) -> None:
    """Serve the engine as the official plugin of this version."""
    serve(Provider("random", version, {_token(kind): kind() for kind in _KINDS}))
