"""What every settings model shares, and the types that more than one of them uses."""

import re
import unicodedata
from ipaddress import IPv4Network
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    SecretStr,
    StringConstraints,
)
from pydantic_core import CoreSchema

from programs.homes.names import LOGIN
from stacks.settings.exact import exact
from stacks.time_zones import check_time_zone


class Model(BaseModel):
    """Settings are frozen once read, know no field they do not document, take their documentation from the
    docstrings, and take no value for one of another kind (stacks/settings/exact.py)."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return exact(handler(source))


SPELLED: Final[dict[str, str]] = {}
"""What a regular expression of ours accepts, in words with an example: a refusal shows these."""


def spelled(pattern: str, words: str, *, max_length: int | None = None) -> StringConstraints:
    """Constrain text to what a regular expression accepts; `words` say what that is to whoever wrote something else."""
    SPELLED[pattern] = words
    return StringConstraints(pattern=pattern, max_length=max_length)


HostName = Annotated[
    str,
    spelled(
        r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$",
        "one label of a name: small letters, digits and hyphens, a letter first, such as chick1",
    ),
]
"""One label of a machine's name (RFC 1123), beginning with a letter because it is also part of resource names."""

UserName = Annotated[
    str,
    spelled(
        f"^{LOGIN}$",
        "a person's name at the hub: up to 63 small letters, digits, dots, _ and hyphens, a letter first, such as ada",
    ),
]
"""A person's name at the hub, which is also a part of their home's."""

DomainName = Annotated[
    str,
    spelled(
        r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$",
        "a full name in small letters, without a dot at its end, such as hub.example.org",
        max_length=253,
    ),
]
"""A fully qualified name in lower case without the final dot (RFC 1035, 2.3.1)."""


def _of_machines(name: str) -> str:
    for top, owner in (
        ("local", "multicast DNS (RFC 6762)"),
        ("localhost", "the machine itself (RFC 6761)"),
        ("arpa", "reverse names (RFC 3172)"),
    ):
        if name.rpartition(".")[2] == top:
            raise ValueError(f"must not end in .{top}, which is {owner}: write a name such as flock.internal")
    return name


MachinesDomain = Annotated[DomainName, AfterValidator(_of_machines)]
"""A zone that a name server of the site's own may answer for."""

HostKey = Annotated[
    str,
    spelled(
        r"^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-Za-z0-9+/]{43}$",
        "what `cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub` prints there: an ed25519 key without its comment",
    ),
]
"""An ed25519 public key as in `/etc/ssh/ssh_host_ed25519_key.pub`, without its comment.

RSA is not accepted: pinning one makes the SSH client ask for SHA-1 signatures, which current servers refuse.
"""

DiskId = Annotated[
    str,
    spelled(
        r"^[A-Za-z0-9][A-Za-z0-9._:+=-]{2,126}$",
        "a name in /dev/disk/by-id, without the directory, such as wwn-0x5000c500a1b2c3d4",
    ),
]
"""A name in `/dev/disk/by-id`. Kernel names such as sda change between boots and are refused."""

GroupName = Annotated[
    str,
    spelled(
        r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]{0,253}[^\x00-\x20\x7f])?$",
        "the name of a group, in one line of up to 255 characters and without blanks around it, such as staff",
    ),
]
"""A group of JupyterHub's (its table `groups` has 255 characters for it)."""

_IMAGE: Final = re.compile(
    r"(?P<host>(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]{1,5})?)"
    r"(?P<path>(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)+)"
    r"(?P<tag>:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
    r"(?P<digest>@[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z][A-Za-z0-9]*)*:[0-9a-f]{32,})?"
)
"""https://pkg.go.dev/github.com/distribution/reference"""


def check_image(name: str) -> str:
    """Refuse what is not a complete image name."""
    match = _IMAGE.fullmatch(name)
    if not match:
        raise ValueError("must be HOST/PATH:TAG or HOST/PATH@DIGEST, such as quay.io/jupyter/base-notebook:2026-10-05")
    host, _, port = match["host"].partition(":")
    if len(name) > 255 or int(port or 0) > 65535:
        raise ValueError("must have at most 255 characters, and a port up to 65535")
    if (match["digest"] or "").startswith("@sha256:") and len(match["digest"]) != len("@sha256:") + 64:
        raise ValueError("must have 64 hexadecimal digits behind sha256:")
    if "." not in host and not port and host != "localhost":
        raise ValueError(f"must begin with the registry's host, such as docker.io/{name}")
    if not match["tag"] and not match["digest"]:
        raise ValueError(f"must have a tag or a digest, such as {name}:1.2.3: without one it means whatever is latest")
    if match["tag"] == ":latest" and not match["digest"]:
        raise ValueError(
            "must have a tag that stays with one image, such as a version or a date: latest is another later"
        )
    return name


ImageName = Annotated[str, AfterValidator(check_image)]
"""A container image by its upstream name, host included, with a tag or a digest."""


def seen(text: str) -> str:
    """Refuse text of blanks and of signs that are not shown."""
    if not any(unicodedata.category(each)[0] in "LNPS" for each in text):
        raise ValueError("must have something that people see")
    return text


Line = Annotated[
    str,
    spelled(
        r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+$",
        "one line of up to 200 characters, without signs that change the direction of others",
        max_length=200,
    ),
    AfterValidator(seen),
]
"""A line that people read; it is shown as it is, without HTML."""
Word = Annotated[str, spelled(r"^[!-~]{1,1000}$", "one word in ASCII, without blanks")]
"""A text that other programs hand on as it is."""


def _one_word(secret: SecretStr) -> SecretStr:
    """Refuse what a copy brings along: whoever checks the secret would take it for another one."""
    if not re.fullmatch("[!-~]{1,4096}", secret.get_secret_value()):
        raise ValueError("must be one word in ASCII, without a blank or a line break")
    return secret


SecretWord = Annotated[SecretStr, AfterValidator(_one_word)]
"""A password or a token that a provider has given."""
ServerName = Annotated[
    str,
    spelled(
        r"^[A-Za-z0-9:]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9.:])?$",
        "the name or the address of a computer, such as time.example.org",
    ),
]
"""What a computer is found by."""
RegistryHost = Annotated[
    str,
    spelled(
        r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?(:[1-9][0-9]{0,4})?$",
        "the host of a registry, with its port where it has one, such as ghcr.io",
    ),
]


def _usable(network: IPv4Network) -> IPv4Network:
    for wrong, what in (
        (network.overlaps(IPv4Network("127.0.0.0/8")), "loopback"),
        (network.overlaps(IPv4Network("224.0.0.0/4")), "multicast"),
        (network.overlaps(IPv4Network("169.254.0.0/16")), "link-local"),
        (network.overlaps(IPv4Network("0.0.0.0/8")), "“this network” (RFC 1122)"),
        (network.overlaps(IPv4Network("240.0.0.0/4")), "reserved (RFC 1112)"),
    ):
        if wrong:
            raise ValueError(f"{network} holds {what} addresses, which no machine, pod or Service can have")
    return network


def _between(largest: int, smallest: int, why: str) -> AfterValidator:
    def check(network: IPv4Network) -> IPv4Network:
        if not largest <= network.prefixlen <= smallest:
            raise ValueError(f"/{network.prefixlen} must be between /{largest} and /{smallest}: {why}")
        return network

    return AfterValidator(check)


MachinesNetwork = Annotated[
    IPv4Network, AfterValidator(_usable), _between(8, 29, "it has room for the machines, and for more to come")
]
PodNetwork = Annotated[
    IPv4Network,
    AfterValidator(_usable),
    _between(8, 24, "every node takes blocks of 64 addresses (Calico's /26) and a /24 (kube-controller-manager)"),
]
ServiceNetwork = Annotated[
    IPv4Network,
    AfterValidator(_usable),
    _between(12, 24, "kube-apiserver takes no larger one, and its DNS and the file server need addresses of their own"),
]
LoadBalancerNetwork = Annotated[
    IPv4Network, AfterValidator(_usable), _between(8, 32, "each public name's proxy takes an address")
]

TimeZone = Annotated[str, AfterValidator(check_time_zone)]
"""A zone that Debian 13 has without its package tzdata-legacy."""

AsNumber = Annotated[int, Field(ge=1, le=2**32 - 2)]
"""A BGP autonomous system number; 0 and the last one are reserved (RFC 7607, RFC 7300)."""

_UNITS: Final = {"m": 60, "h": 3600, "d": 24 * 3600}
_SHORTEST: Final = "20m"
_LONGEST: Final = "365d"


def seconds_of(span: str) -> int:
    """Return how many seconds a span of time such as 20m, 12h or 365d has."""
    return int(span[:-1]) * _UNITS[span[-1]]


def _check_lifetime(span: str) -> str:
    if not seconds_of(_SHORTEST) <= seconds_of(span) <= seconds_of(_LONGEST):
        raise ValueError(f"must be between {_SHORTEST} and {_LONGEST}")
    return span


CertificateLifetime = Annotated[
    str,
    spelled(r"^[1-9][0-9]{0,5}[mhd]$", "whole minutes, hours or days, such as 12h or 90d"),
    AfterValidator(_check_lifetime),
]
"""A span of minutes, hours or days, such as 90d. kubeadm advises against more than a year (its ValidateCertValidity);
in less than 20 minutes a control plane could not be renewed in time."""
