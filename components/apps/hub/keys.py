"""What the hub keeps secret, by the names under which its fragments read it."""

import pulumi

from components.apps.hub.menu import PASSWORD
from components.contracts.storage import HomeProvisioner
from stacks.secrets import SiteSecrets
from stacks.settings import HubSettings


def hub_keys(settings: HubSettings, secrets: SiteSecrets, homes: HomeProvisioner) -> dict[str, pulumi.Input[str]]:
    """Return the texts of the hub's Secret, without what a site adds to it."""
    keys: dict[str, pulumi.Input[str]] = {
        "proxy-token": secrets.proxy_token,
        "cookie-secret": secrets.cookie_secret,
        "crypt-keys": secrets.crypt_keys,
        "metrics-token": secrets.metrics_token,
        "homes-ca.crt": homes.authority,
        "homes-client.crt": homes.client_certificate,
        "homes-client.key": homes.client_key,
        **settings.db.given,
        **(settings.pages_repository.given if settings.pages_repository else {}),
    }
    if settings.image_menu and settings.image_menu.password:
        keys[PASSWORD] = settings.image_menu.password.get_secret_value()
    login = settings.login
    return {**keys, **{name: secrets.login[name] for name in (*login.secrets, *login.given)}}
