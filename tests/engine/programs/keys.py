"""A site's secrets, with the keys of the configuration."""

import pulumi

from stacks.load import parse_settings
from stacks.secrets import SiteSecrets
from tests.stacks.sites import changed, tree

keys = pulumi.Config().require("keys").split(",")
secrets = SiteSecrets("secrets", parse_settings(changed(tree("dev"), {"hub": {"keys": keys}})))
pulumi.export("keys", pulumi.Output.unsecret(secrets.crypt_keys))
pulumi.export("cookie", secrets.cookie_secret)
pulumi.export("proxy", secrets.proxy_token)
