"""Accounts of GitHub: whoever is a member of the organizations and teams of the settings."""

from collections.abc import Container
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from answers import ProviderAway, Unsaid, said_in
from entry import No
from git_tokens import PATH, GitCredential
from henhouse_hub import c, site
from membership import Membership
from oauthenticator.github import GitHubOAuthenticator
from organizations import join, leave_former
from provider import configure
from tornado.httpclient import HTTPClientError, HTTPResponse
from traitlets import Set

login = site["login"]

A_MEMBER = 204
NOT_A_MEMBER = (404, 302)
"""What GitHub answers for a person who is not a member
(https://docs.github.com/en/rest/orgs/members#check-organization-membership-for-a-user)."""
HIDDEN = 403
"""What it answers where the organization does not let the hub see its members."""
LIMITS = ("rate limit", "rate-limit", "abuse")
"""What GitHub's words about a limit have in them, in lower case."""
MOST_GROUPS = 15
"""NFS carries 16 groups of a person (RFC 5531, AUTH_SYS); one is `users`."""


GROUPS = set(login["allowed_organizations"] if login["organization_groups"] else ())
"""The organizations and teams that are groups of the hub, called as in the settings."""
TEAMS = {each for each in GROUPS if ":" in each}

asked_about: ContextVar[str] = ContextVar("asked_about")
"""The name of the person in question at GitHub: not always that in the hub."""
hiding: ContextVar[list[str]] = ContextVar("hiding")
"""Which organizations and teams did not let the hub see whether the person is a member."""


class GitHub(Membership, GitHubOAuthenticator):  # type: ignore[misc, unused-ignore]
    """GitHubOAuthenticator with a list of organizations and teams that are refused, which wins."""

    denied_organizations = Set(config=True, help="Organizations, and teams as organization:team.")
    tokens_end = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        leave_former(self.db, GROUPS, self.log)

    def person(self, claims: dict[str, Any]) -> dict[str, str]:
        """Return name and address, and what GitHub calls and numbers the account.

        A person who publishes no address has GitHub's own for the account, which receives no mail.
        """
        account = {"id": str(claims.get("id")), "login": str(claims.get("login"))}
        nowhere = f"{account['id']}+{account['login']}@users.noreply.{urlsplit(self.account_issuer).hostname}"
        return {"email": nowhere, **super().person(claims), **account}

    async def identity(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return the numbers of the account, and of those organizations of the settings that the person is in.

        Teams get no number: GitHub counts them by themselves, so it could be that of an organization.
        """
        number = state[self.user_auth_state_key]["id"]
        uids, gids = (range(*login[name]) for name in ("uids", "gids"))
        uid = uids.start + int(number)
        groups: dict[str, int] = {}
        seen: dict[str, list[str]] = {}
        if self.allowed_organizations and "read:org" in scopes(state):
            found = await self._listed("orgs", state)
            wanted = {_organization(each) for each in self.allowed_organizations}
            groups = {each["login"].lower(): gids.start + each["id"] for each in found}
            seen = {"organizations": sorted(wanted.intersection(groups))}
            if TEAMS:
                seen["teams"] = await self._teams(state, groups)
            groups = {name: gid for name, gid in sorted(groups.items()) if name in wanted and gid in gids}
        return {"uid": uid if uid in uids else None, "groups": dict(list(groups.items())[:MOST_GROUPS]), **seen}

    async def _teams(self, state: dict[str, Any], organizations: Container[str]) -> list[str]:
        """Return those teams of the settings that the person is in, of these organizations of theirs, in lower case.

        One answer lists the teams that have the person themselves. Who is in a team inside another may log in as one of
        both (https://developer.github.com/changes/2017-08-30-preview-nested-teams): where a team on the list has one
        around it, or there is no list, the question that lets people in is asked for the others.
        """
        wanted = {each: _organization(each) for each in TEAMS if _organization(each) in organizations}
        if not wanted:
            return []
        try:
            # A team of an enterprise's is of no organization.
            listed = [each for each in await self._listed("teams", state) if each.get("organization")]
            unsaid = {each["organization"]["login"].lower() for each in listed if each.get("parent")}
        except HTTPClientError as error:
            if error.code not in (HIDDEN, *NOT_A_MEMBER):
                raise
            listed, unsaid = [], set(wanted.values())
        own = {f"{each['organization']['login']}:{each['slug']}".lower() for each in listed}
        others = [each for each in wanted if each.lower() not in own and wanted[each] in unsaid]
        asked_about.set(state[self.user_auth_state_key]["login"])
        token = state["token_response"]
        for each in others:
            if await self._membership(each, token["access_token"], token["token_type"]) == A_MEMBER:
                own.add(each.lower())
        return sorted(own.intersection(each.lower() for each in wanted))

    async def _listed(self, what: str, state: dict[str, Any]) -> list[dict[str, Any]]:
        """Return all of what GitHub lists for the person: `orgs` or `teams`."""
        token = state["token_response"]
        try:
            return list(
                await self._paginated_fetch(
                    f"{self.github_api}/user/{what}?per_page=100", token["access_token"], token["token_type"]
                )
            )
        except (ValueError, TypeError) as error:  # a page of a proxy, or null
            raise ProviderAway(f"asked for a person's {what}, GitHub answers with no list") from error

    def join_groups(self, user: Any, answer: dict[str, Any]) -> None:
        """Put the person into the groups of the hub that are their organizations and teams."""
        join(user, answer["auth_state"], GROUPS)

    def is_limit(self, answer: HTTPResponse) -> bool:
        """Return whether a refusal is about how often the hub asks, or a page of something between the two.

        GitHub says some limits in words alone
        (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit), and
        what it refuses is JSON.
        """
        if super().is_limit(answer):
            return True
        if not 400 <= answer.code < 500:
            return False
        said = said_in(answer)
        words = f"{said.get('message')} {said.get('documentation_url')}".lower()
        return not said or (answer.code == 403 and any(each in words for each in LIMITS))

    async def _token_to_auth_model(self, token_info: dict[str, Any]) -> dict[str, Any]:
        """Return the login of a token. Raise `ProviderAway` where GitHub refuses anything but the token or the account.

        Upstream takes each refusal for the end of the token.
        """
        try:
            return dict(await super()._token_to_auth_model(token_info))
        except HTTPClientError as error:
            suspended = error.code == 403 and "suspended" in str(said_in(error.response).get("message")).lower()
            if error.code == 401 or suspended:
                raise
            raise ProviderAway(f"asked for the person, GitHub answers {error.code}") from error

    async def is_let_in(self, username: str, model: dict[str, Any]) -> bool:
        """Return whether GitHub or the settings let in a person. Raise `Unsaid` where GitHub hides it."""
        asked_about.set(model["auth_state"][self.user_auth_state_key]["login"])
        hidden: list[str] = []
        hiding.set(hidden)
        if await super().is_let_in(username, model):
            return True
        if hidden:
            raise Unsaid(f"GitHub does not let the hub see the members of {', '.join(hidden)}")
        return False

    async def denied(self, username: str, model: dict[str, Any]) -> No | None:
        """Return a no about a person in a denied organization, and about one whose organizations the hub cannot see.

        An organization that hides its members hides them from no others.
        """
        state = model["auth_state"]
        asked_about.set(state[self.user_auth_state_key]["login"])
        if self.denied_organizations and "read:org" not in scopes(state):
            self.log.warning("%s is refused: they did not let the hub read their organizations", username)
            return No.REFUSED  # as everybody who logged in before there was something denied
        token = state["token_response"]
        for denied in sorted(self.denied_organizations):
            status = await self._membership(denied, token["access_token"], token["token_type"])
            if status not in NOT_A_MEMBER:
                self.log.warning("%s is refused: asked for %s, GitHub answers %s", username, denied, status)
                return No.DENIED
        return None

    async def _check_membership_allowed_organizations(
        self, org_team: str, username: str, access_token: str, token_type: str
    ) -> bool:
        status = await self._membership(org_team, access_token, token_type)
        if status == HIDDEN:
            hiding.get().append(org_team)
        return status == A_MEMBER

    async def _membership(self, org_team: str, access_token: str, token_type: str) -> int:
        """Return GitHub's status for the question whether this person is a member: 204 is yes."""
        org, _, team = org_team.partition(":")
        members = f"orgs/{org}/teams/{team}/members" if team else f"orgs/{org}/members"
        answer = await self.httpfetch(
            f"{self.github_api}/{members}/{asked_about.get()}",
            "asking for a membership",
            parse_json=False,
            raise_error=False,
            method="GET",
            headers=self.build_userdata_request_headers(access_token, token_type),
        )
        if answer.code not in (A_MEMBER, *NOT_A_MEMBER, HIDDEN):
            raise ProviderAway(f"asked for {org_team}, GitHub answers {answer.code}")
        return int(answer.code)


def arrived(spawner: Any, state: dict[str, Any] | None) -> None:
    """Do what each login does before a start and its page, and see to the person's groups, which both look at."""
    join(spawner.user, state, GROUPS)
    introduced(spawner, state)


def _organization(name: str) -> str:
    """Return the organization of one or of a team, in lower case."""
    return name.partition(":")[0].lower()


def scopes(state: dict[str, Any]) -> set[str]:
    """Return what the person lets the hub do. GitHub separates it by commas."""
    return {each for granted in state["scope"] for each in granted.split(",")}


configure(GitHub, login)
introduced = c.KubeSpawner.auth_state_hook
c.KubeSpawner.auth_state_hook = arrived
c.GitHub.github_url = c.GitHub.account_issuer = login["url"].rstrip("/")
c.GitHub.github_api = login["api"]  # upstream knows that of github.com and of Enterprise Servers
c.GitHub.account_id_claim = "id"
c.GitHub.allowed_organizations = set(login["allowed_organizations"])
if login["git_credentials"]:
    # JupyterHub would rather have it as a service; a service would need the logins of all people.
    c.JupyterHub.extra_handlers.append((PATH, GitCredential, {"granted": scopes, "account_key": "github_user"}))
c.GitHub.denied_organizations = set(login["denied_organizations"])
