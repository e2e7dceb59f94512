"""Checks across settings of the machines: what each is for, and the way to them."""

from collections.abc import Iterator
from typing import Final

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import Site

EXCLUSIVE: Final = ("gateway", "storage")
"""Duties that a machine has alone: the gateway and the file server do not run people's code."""


def host_keys_differ(site: Site) -> Iterator[Problem]:
    """One key on two machines is a copied line or a cloned disk; either way a connection would prove nothing."""
    owner: dict[str, str] = {}
    for name, host in site.hosts.items():
        if host.host_key in owner:
            yield Problem(
                f"hosts.{name}.host_key",
                f"is also {owner[host.host_key]}'s",
                accepted="the machine's own key: cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub",
            )
        owner.setdefault(host.host_key, name)


def duties(site: Site) -> Iterator[Problem]:
    """See to it that the machines do all that a site needs, and that no machine has duties that exclude each other."""
    for name, host in site.hosts.items():
        alone = [duty for duty in EXCLUSIVE if duty in host.duties]
        if alone and len(set(host.duties)) > 1:
            yield Problem(
                f"hosts.{name}.duties", f"{', '.join(host.duties)}: {alone[0]} cannot be combined with another duty"
            )
        if host.purpose != "any" and "worker" not in host.duties:
            yield Problem(f"hosts.{name}.purpose", f"{host.purpose}: only a worker has a purpose")
    yield from _exactly_one(site, "gateway", "")
    yield from _exactly_one(site, "control-plane", "; several need an address in front of them")
    workers = [host for host in site.hosts.values() if "worker" in host.duties]
    for purpose, pods in (("core", "hub"), ("user", "user")):
        if not any(host.purpose in ("any", purpose) for host in workers):
            yield Problem("hosts", f"no worker takes {pods} pods", accepted=f"a worker with purpose any or {purpose}")


def _exactly_one(site: Site, duty: str, because: str) -> Iterator[Problem]:
    holders = [name for name, host in site.hosts.items() if duty in host.duties]
    if len(holders) != 1:
        have = f"{', '.join(holders)} have" if holders else "no machine has"
        yield Problem("hosts", f"{have} the duty {duty}", accepted=f"exactly one machine{because}")


def jump_is_whole(site: Site) -> Iterator[Problem]:
    """See to it that the jump is either a machine of the site, or has all that it takes to reach another."""
    jump = site.access.jump
    if jump is None:
        return
    if jump.machine is None:
        own = "what `cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub` says there"
        for name, accepted in (("host", "the jump's address or name"), ("host_key", own)):
            if getattr(jump, name) is None:
                yield Problem(f"access.jump.{name}", "is required of a jump without a machine", accepted=accepted)
        return
    if jump.machine not in site.hosts:
        yield Problem(
            "access.jump.machine",
            f"{jump.machine} is not one of the hosts",
            accepted=f"{', '.join(sorted(site.hosts))}; or, of a jump that is none of them, its host and host_key",
        )
    for name, of_the_site in (("user", "access.user"), ("host_key", f"hosts.{jump.machine}.host_key")):
        if getattr(jump, name) is not None:
            yield Problem(
                f"access.jump.{name}", f"is given, and the jump is the machine {jump.machine}", accepted=of_the_site
            )


CHECKS: Final[tuple[Check, ...]] = (
    host_keys_differ,
    duties,
    jump_is_whole,
)
