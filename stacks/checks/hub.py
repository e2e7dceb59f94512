"""Checks across settings of the hub: who has which name, and what fits together."""

from collections.abc import Iterator
from typing import Final

from programs.hub.inside.inside_limits import TIMES
from stacks.checks.check import Check, repeated
from stacks.problems import Problem
from stacks.settings import Site
from stacks.settings.amounts import bytes_of
from stacks.settings.culling import INTERVAL
from stacks.settings.logins.provider import ProviderLoginSettings


def database_on_a_worker(site: Site) -> Iterator[Problem]:
    """See to it that the machine with the database takes the hub, which runs where its database is."""
    name = site.hub.database_host
    takers = site.workers_for("core")
    if name is not None and name not in takers:
        yield Problem(
            "hub.database_host",
            f"{name} is not a worker that takes core pods",
            accepted=", ".join(takers) or "none yet",
        )


def hub_in_domain(site: Site) -> Iterator[Problem]:
    """Keep the hub's name in the domain: the DNS output is one zone."""
    if not site.hub.host.endswith("." + site.domain):
        yield Problem("hub.host", f"{site.hub.host} is not in the domain", accepted=f"*.{site.domain}")


def keys_once(site: Site) -> Iterator[Problem]:
    """Let each name stand for one key."""
    for number, name in repeated(site.hub.keys):
        yield Problem(f"hub.keys.{number}", f"{name} is named twice", accepted="each name once, newest first")


def administrators_once(site: Site) -> Iterator[Problem]:
    """Name each administrator once."""
    for number, name in repeated(site.hub.administrators):
        yield Problem(f"hub.administrators.{number}", f"{name} is named twice", accepted="each name once")


def someone_is_meant(site: Site) -> Iterator[Problem]:
    """Refuse what is both allowed and denied: the latter wins, and the former says something that is not so."""
    login = site.hub.login
    if not isinstance(login, ProviderLoginSettings):
        return
    for allowed, denied in (
        ("allowed_users", "blocked_users"),
        ("allowed_groups", "denied_groups"),
        ("allowed_organizations", "denied_organizations"),
    ):
        # Groups are compared as they are; GitHub has one account and one organization of a name in any case.
        kept_out = {each if "groups" in denied else each.lower() for each in getattr(login, denied, ())}
        for number, each in enumerate(getattr(login, allowed, ())):
            if (each if "groups" in denied else each.lower()) in kept_out:
                yield Problem(
                    f"hub.login.{allowed}.{number}",
                    f"{each} is also one of hub.login.{denied}, which wins",
                    accepted="each in one of the two",
                )


def size_in_order(site: Site) -> Iterator[Problem]:
    """Refuse a guarantee that is more than the limit."""
    size = site.hub.size
    if size.cpu_guarantee > size.cpu_limit:
        yield Problem("hub.size.cpu_guarantee", f"{size.cpu_guarantee} is more than cpu_limit, {size.cpu_limit}")
    if bytes_of(size.mem_guarantee) > bytes_of(size.mem_limit):
        yield Problem("hub.size.mem_guarantee", f"{size.mem_guarantee} is more than mem_limit, {size.mem_limit}")


def edge_can_be_drained(site: Site) -> Iterator[Problem]:
    """Refuse a budget of the edge that blocks every drain: one of its pods has to have another machine to go to."""
    takers = site.workers_for("core")
    if site.edge.pdb.enabled and len(takers) < 2:
        yield Problem(
            "edge.pdb.enabled",
            f"{' and '.join(takers) or 'no worker'} alone takes core pods: a drain of it would never end",
            accepted="false, or two workers with the purpose core or any",
        )


def timeout_once(site: Site) -> Iterator[Problem]:
    """Refuse one fact in two places."""
    if site.hub.cull.timeout is not None and "cull_idle_seconds" in site.hub.model_fields_set:
        yield Problem("hub.cull.timeout", "is hub.cull_idle_seconds by another name", accepted="one of the two")


def culling_in_time(site: Site) -> Iterator[Problem]:
    """Refuse looks that come after a limit, and an age that a server may have before it answers."""
    hub = site.hub
    if not hub.cull.enabled:
        return
    if hub.cull.every is not None and hub.cull.every > hub.shortest_limit:
        yield Problem(
            "hub.cull.every",
            f"{hub.cull.every} is more than the shortest limit, {hub.shortest_limit}: servers would be stopped late",
            accepted=f"30 to {hub.shortest_limit}, or nothing: a quarter of the limit",
        )
    ages = {"hub.cull.maxAge": hub.cull.max_age}
    ages |= {f"hub.cull.groups.{index}.maxAge": each.max_age or 0 for index, each in enumerate(hub.cull.groups)}
    starts = {"hub.start_timeout_seconds": hub.start_timeout_seconds}
    for index, profile in enumerate(hub.profile_list):
        path = f"hub.profile_list.{index}.kubespawner_override.start_timeout"
        starts[path] = profile.kubespawner_override.start_timeout or 0
    longest = max(starts, key=lambda each: starts[each])
    for path, age in ages.items():
        if 0 < age <= starts[longest]:
            yield Problem(
                path,
                f"{age} is not more than {longest}, {starts[longest]}: as long takes a start",
                accepted="0 for no limit, or more seconds",
            )


def culled_idle_before_old(site: Site) -> Iterator[Problem]:
    """Refuse an age below the limit of idle servers, as where each has the other's number: it stops servers in use.

    What an entry of `groups` does not say is everyone's.
    """
    hub = site.hub
    written = hub.cull.timeout is not None or "cull_idle_seconds" in hub.model_fields_set
    everyones = (hub.cull_timeout if written else None, hub.cull.max_age)
    entries = {f"hub.cull.groups.{index}": (each.timeout, each.max_age) for index, each in enumerate(hub.cull.groups)}
    for path, own in ({"hub.cull": everyones} | entries).items():
        timeout, age = (theirs if said is None else said for said, theirs in zip(own, everyones, strict=True))
        if hub.cull.enabled and own != (None, None) and timeout and age and timeout > age:
            name, given = ("maxAge", f"{age} is less than timeout, {timeout}")
            if own[1] is None:
                name, given = ("timeout", f"{timeout} is more than everyone's maxAge, {age}")
            yield Problem(
                f"{path}.{name}",
                f"{given}: servers in use would be stopped before any is idle for so long",
                accepted=f"a timeout up to {age}, or a maxAge of {timeout} and more, or 0 for no limit",
            )


def culling_inside_in_time(site: Site) -> Iterator[Problem]:
    """Refuse of a group's kernels and terminals what is refused of everyone's, with what the entry takes from them."""
    cull = site.hub.cull
    for index, entry in enumerate(cull.groups):
        limits = cull.inside(entry)
        for kind, own in (("kernels", entry.kernels), ("terminals", entry.terminals)):
            said = own.model_dump(exclude_none=True) if own else {}
            time, path = TIMES[kind], f"hub.cull.groups.{index}.{kind}"
            seconds, interval = limits[kind][time], limits[kind][INTERVAL]
            if said.keys() - {time} and not seconds:
                yield Problem(
                    path,
                    f"nothing is stopped without {time}, and it is 0",
                    accepted=f"{time} in seconds, here or for everyone (hub.cull.{kind}), or no other setting",
                )
            elif interval > seconds:
                yield Problem(
                    f"{path}.{INTERVAL}",
                    f"{interval} is more than {time}, {seconds}: look at least as often",
                    accepted=f"1 to {seconds}, or nothing",
                )


def answers_are_held(site: Site) -> Iterator[Problem]:
    """Refuse a last answer of the provider that is too old whenever it is asked again."""
    login = site.hub.login
    if isinstance(login, ProviderLoginSettings) and 0 < login.hold_seconds < login.check_seconds:
        yield Problem(
            "hub.login.hold_seconds",
            f"{login.hold_seconds} is less than check_seconds, {login.check_seconds}: the last answer is always older",
            accepted="0 to hold none, or check_seconds and more",
        )


CHECKS: Final[tuple[Check, ...]] = (
    database_on_a_worker,
    hub_in_domain,
    keys_once,
    administrators_once,
    someone_is_meant,
    size_in_order,
    edge_can_be_drained,
    timeout_once,
    culling_in_time,
    culled_idle_before_old,
    culling_inside_in_time,
    answers_are_held,
)
