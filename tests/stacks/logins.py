"""An example of each login by an identity provider, as a site writes it."""

from collections.abc import Mapping
from typing import Any, Final

REGISTERED: Final = {"client_id": "hub", "client_secret": "T0P-S3CRET"}
IDP: Final = "https://idp.example.edu/idp/shibboleth"
GITHUB: Final[Mapping[str, Any]] = {"type": "github", **REGISTERED, "allowed_organizations": ["flock", "barn:staff"]}
OIDC: Final[Mapping[str, Any]] = {
    "type": "oidc",
    **REGISTERED,
    "issuer": "https://id.example.edu/realms/x",
    "authorize_url": "https://id.example.edu/realms/x/auth",
    "token_url": "https://id.example.edu/realms/x/token",
    "userdata_url": "https://id.example.edu/realms/x/userinfo",
    "allowed_groups": ["staff"],
}
GOOGLE: Final[Mapping[str, Any]] = {
    "type": "google",
    **REGISTERED,
    "hosted_domain": ["example.edu"],
    "allow_all": True,
}
CILOGON: Final[Mapping[str, Any]] = {"type": "cilogon", **REGISTERED, "idps": {IDP: {"allow_all": True}}}
PROVIDERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "github": GITHUB,
    "oidc": OIDC,
    "google": GOOGLE,
    "cilogon": CILOGON,
}
