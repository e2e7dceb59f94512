"""Accounts of GitHub: whoever is a member of the organizations and teams of the settings."""

from typing import Any

from henhouse_hub import c, secret, site
from membership import Membership
from oauthenticator.github import GitHubOAuthenticator
from traitlets import Set

login = site["login"]

NOT_A_MEMBER = (404, 302)
"""What GitHub answers for somebody who is no member
(https://docs.github.com/en/rest/orgs/members#check-organization-membership-for-a-user)."""


class GitHub(Membership, GitHubOAuthenticator):  # type: ignore[misc, unused-ignore]
    """GitHubOAuthenticator with a list of organizations and teams that are refused, which wins."""

    denied_organizations = Set(config=True, help="Organizations, and teams as organization:team.")

    async def is_denied(self, username: str, model: dict[str, Any]) -> bool:
        """Return whether the person is in one of the denied organizations, or GitHub does not let us see that."""
        token = model["auth_state"]["token_response"]
        for denied in sorted(self.denied_organizations):
            status = await self._membership(denied, username, token["access_token"], token["token_type"])
            if status not in NOT_A_MEMBER:
                self.log.warning("%s is refused: asked for %s, GitHub answers %s", username, denied, status)
                return True
        return False

    async def _check_membership_allowed_organizations(
        self, org_team: str, username: str, access_token: str, token_type: str
    ) -> bool:
        return await self._membership(org_team, username, access_token, token_type) == 204

    async def _membership(self, org_team: str, username: str, access_token: str, token_type: str) -> int:
        """Return GitHub's status for the question whether this person is a member: 204 is yes."""
        org, _, team = org_team.partition(":")
        members = f"orgs/{org}/teams/{team}/members" if team else f"orgs/{org}/members"
        answer = await self.httpfetch(
            f"{self.github_api}/{members}/{username}",
            "asking for a membership",
            parse_json=False,
            raise_error=False,
            method="GET",
            headers=self.build_userdata_request_headers(access_token, token_type),
            validate_cert=True,
        )
        return int(answer.code)


c.JupyterHub.authenticator_class = GitHub
c.GitHub.github_url = login["url"].rstrip("/")
c.GitHub.client_id = login["client_id"]
c.GitHub.client_secret = secret("client-secret")
c.GitHub.oauth_callback_url = login["callback_url"]
c.GitHub.scope = login["scope"]
c.GitHub.allow_all = False
c.GitHub.allowed_organizations = set(login["allowed_organizations"])
c.GitHub.denied_organizations = set(login["denied_organizations"])
c.GitHub.allowed_users = set(login["allowed_users"])
c.GitHub.allow_existing_users = False
c.GitHub.account_id_claim = "id"
c.GitHub.auth_refresh_age = login["check_seconds"]
c.GitHub.hold_seconds = login["hold_seconds"]
c.GitHub.http_request_kwargs = {"connect_timeout": 5, "request_timeout": 10}
