"""Who comes in, by what the provider and the settings say of a person, and what is kept beside their login.

Mixed in before an OAuthenticator; shipped to the hub beside its configuration.
"""

import time
from enum import Enum, auto
from typing import Any

from admission import ADDED, Admission
from answers import Asking, ProviderAway, Unsaid
from brake import REFUSED
from person import OURS, described, known_of
from tornado.web import HTTPError
from traitlets import Bool, Integer, Set, Unicode


class No(Enum):
    """A no about a person."""

    DENIED = auto()
    """By what the settings deny: they are out at once."""
    REFUSED = auto()
    """By the provider, or by a last yes that is too old, and that it does not repeat: the next round puts them out, or
    the brake holds."""
    STANDS = auto()
    """By the provider's answer before this one, which says nothing: they cannot log in, and servers run on."""


class Entry(Admission, Asking):  # type: ignore[misc, unused-ignore]
    """Lets in who is a member, and while the provider is away, who was one when it last answered."""

    hold_seconds = Integer(24 * 3600, config=True, help="How long the last answer holds while it cannot be renewed.")
    account_id_claim = Unicode("sub", config=True, help="What the provider never gives to another account.")
    denied_groups = Set(config=True, help="Groups whose members may not log in.")
    everybody = Bool(False, config=True, help="Whether everyone with an account there may log in.")

    def normalize_username(self, username: str) -> str:
        """Return the name as the hub has it, and as a home may be called.

        A name that only looks like another is refused: in lower case, the sign of Kelvin is a k.
        """
        if not username.isascii():
            raise HTTPError(403, "The name %r has letters that no name here may have.", username)
        name = str(super().normalize_username(username)).replace("@", "_at_").replace(":", "_")
        return f"u_{name}" if name[:1].isdigit() else name

    async def update_auth_model(self, auth_model: dict[str, Any]) -> dict[str, Any]:
        """Note whose login it is and that the provider vouches for it now; called after each of its answers."""
        # Before upstream's classes add what GitHub keeps to itself, an address that its owner does not publish.
        person = self.person(auth_model["auth_state"][self.user_auth_state_key])
        auth_model = await super().update_auth_model(auth_model)
        state = auth_model["auth_state"]
        number = state[self.user_auth_state_key].get(self.account_id_claim)
        if number in (None, ""):
            raise HTTPError(403, "The provider does not say %s, which tells accounts apart.", self.account_id_claim)
        identity = await self.identity(state)
        account = f"{self.account_issuer} {number}"
        state[OURS] = {"confirmed": time.time(), "account": account, "person": person, **identity}
        return auth_model

    def person(self, claims: dict[str, Any]) -> dict[str, str]:
        """Return what a person's server gets of what the provider says of them: `name` and `email`, where it does."""
        return described(claims)

    async def identity(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return the person's `uid`, where the provider numbers accounts, and `groups`, numbers by name."""
        return {}

    async def check_allowed(self, username: str, auth_model: dict[str, Any] | None) -> bool:
        """Return whether a person may log in; while the provider is away, whether its last answer was yes."""
        if auth_model is None:
            return bool(await super().check_allowed(username, auth_model))
        state = auth_model["auth_state"]
        stored = await self.last_login(username, state[OURS]["account"])
        known = known_of(stored)
        state[OURS] |= self.kept_addition(known, username)
        _keep_what_renews(state, stored)
        try:
            return await self.may_enter(username, auth_model)
        except ProviderAway as away:
            if self.holds(username, known):
                state[OURS] = known
                return True
            if isinstance(away, Unsaid):
                return False
            raise

    async def may_enter(self, username: str, model: dict[str, Any]) -> bool:
        """Return what the provider and the settings say of a person now."""
        return not await self.kept_out(username, model) and await self.is_let_in(username, model)

    async def kept_out(self, username: str, model: dict[str, Any]) -> No | None:
        """Return the no of the settings, which block or deny a person, whatever else they may be; None without one."""
        return No.DENIED if not self.check_blocked_users(username, model) else await self.denied(username, model)

    async def is_let_in(self, username: str, model: dict[str, Any]) -> bool:
        """Return whether the provider or the settings let in a person that nothing keeps out."""
        # Not for being an administrator's name: at some providers anybody may take that name first.
        # Upstream's classes check what else they demand, such as an address that was verified.
        anyhow = self.everybody or self.may_enter_by_name(username, known_of(model["auth_state"]))
        return bool(await super().check_allowed(username, {**model, "admin": anyhow}))

    async def denied(self, username: str, model: dict[str, Any]) -> No | None:
        """Return `No.DENIED` about who is in something that the settings deny, None about others.

        `No.REFUSED` where it cannot be seen, which lets the person in no more, and leaves servers to the brake.
        """
        return No.DENIED if self.denied_groups.intersection(model.get("groups") or ()) else None

    def holds(self, name: str, known: dict[str, Any]) -> bool:
        """Return whether the provider's last yes counts.

        It does while it is young enough, the provider has not said no since, and the settings do not say it.
        """
        if REFUSED in known:
            return False
        if name in self.blocked_users or (ADDED in known and not self.kept_addition(known, name)):
            return False
        return self.is_young(known) and "account" in known

    def is_young(self, known: dict[str, Any]) -> bool:
        """Return whether the provider's last yes may still count."""
        return bool(time.time() - float(known.get("confirmed", 0)) < self.hold_seconds)

    def join_groups(self, user: Any, answer: dict[str, Any]) -> None:
        """Put the person into the groups of the hub that the provider says, where it says any."""
        if self.manage_groups:
            user.sync_groups(answer["groups"])

    async def last_login(self, username: str, account: str) -> dict[str, Any]:
        """Return the last login of the person who has this name, or nothing. Refuse another account."""
        stored = await self._stored(username)
        if (before := known_of(stored).get("account", account)) != account:
            self.log.error("%s is now another account, %s, before %s", username, account, before)
            raise HTTPError(403, "The name %s belongs to another account. Please ask an administrator.", username)
        return stored

    async def _stored(self, username: str) -> dict[str, Any]:
        """Return the last login of the person who had this name, or nothing. Refuse a name with something to lose."""
        try:
            user = self.parent.users[username]  # `in` would look for those alone that the hub has in memory
        except KeyError:
            return {}
        stored = dict(await user.get_auth_state() or {})
        if "account" not in known_of(stored) and (user.active or user.orm_user.api_tokens):
            self.log.error("%s has a server or tokens from before the first login with an account", username)
            raise HTTPError(
                403,
                "The name %s was used here before. Please ask an administrator to delete this user on the page Admin: "
                "that ends their server, and keeps the files.",
                username,
            )
        return stored


def _keep_what_renews(state: dict[str, Any], stored: dict[str, Any]) -> None:
    """Take over what renews the last login where the provider gave nothing for this one, which is the same account's.

    Google gives it once (https://developers.google.com/identity/protocols/oauth2/web-server#offline).
    """
    if not state.get("refresh_token") and (renews := stored.get("refresh_token")):
        # OAuthenticator makes the next login of the answer, and stores both.
        state["refresh_token"] = renews
        state["token_response"] = {**state["token_response"], "refresh_token": renews}
