"""Settings: the committed stacks are accepted; each kind of mistake is refused with a message that says what to do."""

import datetime
from collections.abc import Callable, Mapping
from typing import Any

import jsonschema
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from stacks import schema
from stacks.load import parse_settings
from stacks.problems import SettingsError, secret_settings
from stacks.time_zones import renamed, zones
from stacks.versions import SITE
from tests.certificates import CERTIFICATE_SIGNING, Authority
from tests.stacks.logins import CILOGON, GITHUB, GOOGLE, IDP, OIDC, PROVIDERS
from tests.stacks.sites import ROOT, changed, tree

STACKS = ("dev", "prod")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "B" * 43
MAIL = {"type": "mail", "to": ["ops@example.org"], "sender": "hen@example.org", "smarthost": "mail.example.org:587"}
HUB = {"hub": {"host": "hub.flock.example.org"}}
MIRROR = {"type": "mirror", "disks": ["disk-a", "disk-b"]}

FIRST_UID: dict[str, Any] = {"storage": {"homes": {"first_uid": 2**29}}}


def login(example: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the settings of a site with this login, changed; None leaves a setting away."""
    made = {key: value for key, value in {**example, **changes}.items() if value is not None}
    return {"hub": {"login": made}}


CHAIN, _ = Authority().issue("hub.henhouse.localhost")
REJECTED: list[tuple[str, dict[str, Any], str]] = [
    ("a required setting missing", {"domain": None}, "domain: is required and not given"),
    ("a misspelt setting", {"hub": {"hots": "x"}}, "hub.hots: is not a setting"),
    (
        "the settings that exist there",
        {"hub": {"hots": "x"}},
        "cull_idle_seconds, database_host, db, extraEnv, extraFiles, extraVolumeMounts, extraVolumes, fragments, host",
    ),
    ("not an address", {"hosts": {"chick1": {"address": "198.18.0.999"}}}, "hosts.chick1.address: '198.18.0.999'"),
    ("an RSA host key", {"hosts": {"hen": {"host_key": "ssh-rsa AAAA"}}}, "hosts.hen.host_key: 'ssh-rsa AAAA'"),
    (
        "a disk by its kernel name",
        {"storage": {"pool": {"log": ["/dev/sda"]}}},
        "storage.pool.log.0: '/dev/sda'",
    ),
    ("a wrong size", {"hub": {"size": {"mem_limit": "2GB"}}}, "hub.size.mem_limit: '2GB'"),
    (
        "two hosts, one address",
        {"hosts": {"chick2": {"address": "198.18.0.101"}}},
        "hosts.chick2.address: 198.18.0.101 is also chick1's",
    ),
    (
        "an address outside the machines' network",
        {"hosts": {"chick2": {"address": "198.18.99.1"}}},
        "hosts.chick2.address: 198.18.99.1 is not a usable address in network.machines",
    ),
    (
        "overlapping networks",
        {"network": {"pods": "198.18.48.0/20"}},
        "network.load_balancers: 198.18.48.0/24 overlaps network.pods, 198.18.48.0/20",
    ),
    (
        "duties that exclude each other",
        {"hosts": {"hen": {"duties": ["storage", "worker"]}}},
        "hosts.hen.duties: storage, worker: storage cannot be combined with another duty",
    ),
    (
        "two control planes",
        {"hosts": {"chick1": {"duties": ["control-plane", "worker"]}}},
        "hosts: chick0, chick1 have the duty control-plane",
    ),
    ("no gateway", {"hosts": {"rooster": None}}, "hosts: no machine has the duty gateway"),
    ("no worker for user pods", {"hosts": {"chick2": {"purpose": "core"}}}, "hosts: no worker takes user pods"),
    (
        "a purpose without work",
        {"hosts": {"hen": {"purpose": "user"}}},
        "hosts.hen.purpose: user: only a worker has a purpose",
    ),
    (
        "the pool on no machine",
        {"storage": {"pool": {"host": "cock"}}},
        "storage.pool.host: cock is not one of the hosts",
    ),
    (
        "the pool on a worker",
        {"storage": {"pool": {"host": "chick1"}}},
        "storage.pool.host: chick1's duties are worker",
    ),
    (
        "a disk named twice",
        {"storage": {"pool": {"spares": ["virtio-hen-bay01"]}}},
        "storage.pool.spares: virtio-hen-bay01 is also in storage.pool.vdevs.0.disks",
    ),
    (
        "an uneven pool",
        {
            "storage": {
                "pool": {
                    "vdevs": [{"type": "raidz2", "disks": list("abcdef")}, {"type": "mirror", "disks": ["g", "h"]}]
                }
            }
        },
        "storage.pool.vdevs.0.disks.0: 'a'",
    ),
    (
        "too few disks for the parity",
        {"storage": {"pool": {"vdevs": [{"type": "raidz2", "disks": ["disk-a", "disk-b", "disk-c"]}]}}},
        "storage.pool.vdevs.0.disks: 3 disks are too few for raidz2",
    ),
    (
        "a reserved pool name",
        {"storage": {"pool": {"name": "mirror1"}}},
        "storage.pool.name: mirror1 is a word of ZFS's own",
    ),
    (
        "a load-balancer address outside its network",
        {"edge": {"load_balancer_address": "198.18.0.3"}},
        "edge.load_balancer_address: 198.18.0.3 is not in network.load_balancers",
    ),
    (
        "the YAML to write",
        {"edge": {"load_balancer_address": "198.18.0.3"}},
        "henhouse:edge: {load_balancer_address: 198.18.48.10}",
    ),
    (
        "the cluster's DNS address taken",
        {"storage": {"homes": {"service_address": "198.18.32.10"}}},
        "storage.homes.service_address: 198.18.32.10 belongs to Kubernetes itself",
    ),
    (
        "the hub outside its domain",
        {"hub": {"host": "hub.example.com"}},
        "hub.host: hub.example.com is not in the domain",
    ),
    (
        "the database on a worker for people",
        {"hub": {"database_host": "chick2"}},
        "hub.database_host: chick2 is not a worker that takes core pods",
    ),
    (
        "an opening of a machine that does not exist",
        {"network": {"openings": [{"machine": "goose", "port": 5432, "what": "PostgreSQL"}]}},
        "network.openings.0.machine: goose is not one of the hosts",
    ),
    (
        "a port that is opened twice",
        {
            "network": {
                "openings": [{"machine": "hen", "port": 80, "what": "a"}, {"machine": "hen", "port": 80, "what": "b"}]
            }
        },
        "network.openings.1.port: tcp port 80 of hen is opened twice",
    ),
    (
        "an opening for no one",
        {"network": {"openings": [{"machine": "hen", "port": 80, "what": "a", "sources": []}]}},
        "network.openings.0.sources",
    ),
    ("an administrator twice", {"hub": {"administrators": ["ada", "ada"]}}, "hub.administrators.1: ada is named twice"),
    (
        "a setting of another login",
        {"hub": {"login": {"type": "dummy", "enable_signup": True}}},
        "hub.login.enable_signup: is not a setting\n    accepted: type",
    ),
    ("a login that is not a user", {"access": {"user": "Ada Lovelace"}}, "access.user: 'Ada Lovelace'"),
    ("a login with a shell's words", {"access": {"user": "a;reboot"}}, "access.user: 'a;reboot'"),
    (
        "a jump that is not a machine",
        {"access": {"jump": "goose"}},
        "access.jump.machine: goose is not one of the hosts\n    accepted: chick0, chick1, chick2, hen, rooster; or",
    ),
    ("a jump without a host", {"access": {"jump": {"port": 2222}}}, "access.jump.host: is required of a jump without"),
    ("a jump without a key", {"access": {"jump": {"host": "a.example.org"}}}, "access.jump.host_key: is required"),
    (
        "a jump with two keys",
        {"access": {"jump": {"machine": "rooster", "host_key": KEY}}},
        "access.jump.host_key: is given, and the jump is the machine rooster\n    accepted: hosts.rooster.host_key",
    ),
    (
        "a jump with two logins",
        {"access": {"jump": {"machine": "rooster", "user": "ada"}}},
        "access.jump.user: is given, and the jump is the machine rooster\n    accepted: access.user",
    ),
    (
        "a jump's RSA key",
        {"access": {"jump": {"host": "a.example.org", "host_key": "ssh-rsa AAAA"}}},
        "access.jump.host_key: 'ssh-rsa AAAA'",
    ),
    (
        "a jump by an option of ssh",
        {"access": {"jump": {"host": "-oProxyCommand=x", "host_key": KEY}}},
        "access.jump.host: '-oProxyCommand=x'",
    ),
    ("a tunnel on a port of root's", {"access": {"jump": {"machine": "rooster", "tunnel_port": 443}}}, "tunnel_port: "),
    ("a jump's unknown setting", {"access": {"jump": {"machine": "rooster", "x": 1}}}, "access.jump.x: is not a set"),
    ("a login that is misspelt", {"hub": {"login": {"type": "GitHub"}}}, "hub.login: 'GitHub' is none of its types"),
    ("an unknown login", {"hub": {"login": "ldap"}}, "hub.login: what is given is none of its types"),
    ("a provider by its name alone", {"hub": {"login": "github"}}, "hub.login.client_id: is required and not given"),
    ("the logins there are", {"hub": {"login": {"type": "ldap"}}}, "accepted: native, dummy, github, oidc, google"),
    ("GitHub without its secret", login(GITHUB, client_secret=None), "client_secret: is required and not given"),
    ("an empty secret", login(GITHUB, client_secret=""), "hub.login.client_secret: "),
    ("GitHub for no one", login(GITHUB, allowed_organizations=[]), "lets no one in: set allowed_organizations, such"),
    ("a provider without TLS", login(GITHUB, url="http://github.example.org"), "must begin with https://"),
    ("an organization's address", login(GITHUB, allowed_organizations=["github.com/x"]), "allowed_organizations.0: "),
    ("a team's display name", login(GITHUB, allowed_organizations=["barn:The Staff"]), "allowed_organizations.0: "),
    ("another organization's path", login(GITHUB, denied_organizations=["a/../b"]), "denied_organizations.0: "),
    (
        "denied organizations that cannot be seen",
        login(GITHUB, denied_organizations=["foxes"], scope=["read:user"]),
        "denied_organizations need read:org in scope",
    ),
    ("a scope that lets the hub delete", login(GITHUB, scope=["delete_repo"]), "scope.0: 'delete_repo'"),
    (
        "git with tokens that may not push",
        login(GITHUB, git_credentials=True),
        "git_credentials need public_repo or repo in scope, such as [read:user, user:email, read:org, public_repo]",
    ),
    ("git with tokens of another provider", login(OIDC, git_credentials=True), "login.git_credentials: is not a set"),
    ("a name in capitals", login(GITHUB, allowed_users=["Ada"]), "allowed_users.0: 'Ada'"),
    ("a provider nowhere", login(GITHUB, networks=[]), "hub.login.networks: "),
    ("a check at every click", login(GITHUB, check_seconds=1), "check_seconds: 1"),
    ("a key for an authority", login(GITHUB, certificate_authority="x"), "certificate_authority: 'x'"),
    (
        "ids of accounts that are counted, too",
        {**login(GITHUB), **FIRST_UID},
        "first_uid: 536870912: hub.login, github",
    ),
    ("a provider for no one", login(OIDC, allowed_groups=[]), "lets no one in: set allowed_groups, such as [staff]"),
    ("a provider without userinfo", login(OIDC, userdata_url=None), "userdata_url: is required and not given"),
    *(
        (f"GitHub at {url}", login(GITHUB, url=url), f"hub.login.url: {url!r}: must be {right}")
        for url, right in (
            ("https://api.github.com", "https://github.com, from which"),
            ("https://www.github.com/", "https://github.com, from which"),
            ("https://api.barn.ghe.com", "https://barn.ghe.com, from which"),
            ("https://github.com/my-lab", "where GitHub is, without a path, such as https://github.com"),
            (
                "https://github.example.org/api/v3",
                "where GitHub is, without a path, such as https://github.example.org",
            ),
        )
    ),
    *(
        (
            f"the file with the addresses as {name}",
            login(OIDC, **{name: "https://id.example.edu/realms/x/.well-known/openid-configuration"}),
            "must be the address that this file has under the setting's name",
        )
        for name in ("issuer", "authorize_url", "token_url", "userdata_url")
    ),
    ("a token in the clear", login(OIDC, token_url="http://id.example.edu/token"), "must begin with https://"),
    ("OAuth without openid", login(OIDC, scope=["email"]), "scope must have openid"),
    (
        "an organization that is let in and kept out",
        login(GITHUB, denied_organizations=["Flock"]),
        "hub.login.allowed_organizations.0: flock is also one of hub.login.denied_organizations, which wins",
    ),
    (
        "a group that is let in and kept out",
        login(OIDC, denied_groups=["staff"]),
        "hub.login.allowed_groups.0: staff is also one of hub.login.denied_groups, which wins",
    ),
    (
        "a name that is let in and kept out",
        login(GOOGLE, allow_all=False, allowed_users=["ada", "bob"], blocked_users=["bob"]),
        "hub.login.allowed_users.1: bob is also one of hub.login.blocked_users, which wins",
    ),
    ("the whole world", login(GOOGLE, hosted_domain=[]), "allow_all needs hosted_domain, such as [example.edu]"),
    ("a second domain", login(GOOGLE, hosted_domain=["a.edu", "b.edu"]), "strip_domain is missing with several"),
    ("another domain", login(GOOGLE, strip_domain="b.edu"), "strip_domain must be one of hosted_domain"),
    ("Google without a scope", login(GOOGLE, scope=["openid", "mail"]), "scope must have email"),
    ("Google for no one", login(GOOGLE, allow_all=False), "lets no one in: set hosted_domain, such as [example.edu]"),
    ("CILogon from nowhere", login(CILOGON, idps={}), "hub.login.idps: "),
    (
        "groups beside everybody",
        login(OIDC, allow_all=True),
        "hub.login: allow_all lets in everybody with an account there, whatever allowed_groups say: remove",
    ),
    (
        "names beside everybody",
        login(GOOGLE, allowed_users=["ada"]),
        "hub.login: allow_all lets in everybody in hosted_domain, whatever allowed_users say",
    ),
    (
        "groups beside all of CILogon's people",
        login(CILOGON, allowed_groups=["CO:members"]),
        "hub.login: allow_all lets in all people of each of idps, whatever allowed_groups say",
    ),
    (
        "domains beside all of a provider's people",
        login(CILOGON, idps={IDP: {"allow_all": True, "allowed_domains": ["example.edu"]}}),
        "allow_all lets in all its people, whatever allowed_domains says",
    ),
    ("CILogon for no one", login(CILOGON, idps={IDP: {"allow_all": False}}), "lets no one in: set allow_all: true"),
    ("a domain for an EntityID", login(CILOGON, idps={"example.edu": {"allow_all": True}}), "'example.edu'"),
    (
        "an action without what it needs",
        login(CILOGON, idps={IDP: {"allow_all": True, "username_derivation": {"action": "strip_idp_domain"}}}),
        "domain goes with action: strip_idp_domain",
    ),
    (
        "a prefix that is not put before",
        login(CILOGON, idps={IDP: {"allow_all": True, "username_derivation": {"prefix": "x"}}}),
        "prefix goes with action: prefix",
    ),
    ("a login without its type", {"hub": {"login": {}}}, "hub.login.type: is required and not given"),
    ("a login's unknown setting", {"hub": {"login": {"type": "native", "x": 1}}}, "hub.login.x: is not a setting"),
    (
        "another site's certificate",
        {"edge": {"certificate": {"certificate": Authority().issue("hub.example.org")[0], "private_key": "PEM"}}},
        "its first certificate is for hub.example.org, and browsers ask for hub.host, hub.henhouse.localhost",
    ),
    (
        "a word for a certificate",
        {"edge": {"certificate": {"certificate": "x", "private_key": "y"}}},
        "edge.certificate.certificate: ",
    ),
    ("a certificate without its key", {"edge": {"certificate": {"certificate": CHAIN}}}, "private_key: is required"),
    ("the lab's login outside a lab", {"lab": "false"}, "hub.login: dummy lets anyone in with one password"),
    ("a server that is stopped while in use", {"hub": {"cull": {"timeout": 59}}}, "hub.cull.timeout: "),
    ("a time before the server ran", {"hub": {"cull": {"maxAge": -1}}}, "hub.cull.maxAge: "),
    ("a time beyond a lifetime", {"hub": {"cull": {"timeout": 10**12}}}, "hub.cull.timeout: "),
    (
        "how to stop kernels, and not when",
        {"hub": {"cull": {"kernels": {"cull_connected": True}}}},
        "nothing is stopped without cull_idle_timeout",
    ),
    ("less than no start", {"hub": {"concurrentSpawnLimit": -1}}, "hub.concurrentSpawnLimit: "),
    ("less than no server", {"hub": {"activeServerLimit": -1}}, "hub.activeServerLimit: "),
    ("less than no failure", {"hub": {"consecutiveFailureLimit": -1}}, "hub.consecutiveFailureLimit: "),
    ("a start that takes longer than a day", {"hub": {"start_timeout_seconds": 10**30}}, "hub.start_timeout_seconds: "),
    ("a round without a pause", {"hub": {"cull": {"every": 0}}}, "hub.cull.every: "),
    (
        "one time by two names",
        {"hub": {"cull": {"timeout": 600}, "cull_idle_seconds": 600}},
        "hub.cull.timeout: is hub.cull_idle_seconds by another name",
    ),
    (
        "limits without groups",
        {"hub": {"cull": {"groups": [{"groups": [], "timeout": 600}]}}},
        "hub.cull.groups.0.groups: ",
    ),
    (
        "limits that are everyone's",
        {"hub": {"cull": {"groups": [{"groups": ["staff"]}]}}},
        "give timeout, maxAge, kernels or terminals",
    ),
    (
        "limits of kernels that are everyone's",
        {"hub": {"cull": {"groups": [{"groups": ["staff"], "kernels": {}, "terminals": {"cull_interval": None}}]}}},
        "give timeout, maxAge, kernels or terminals",
    ),
    (
        "a group's time beyond a lifetime",
        {"hub": {"cull": {"groups": [{"groups": ["staff"], "kernels": {"cull_idle_timeout": 10**12}}]}}},
        "hub.cull.groups.0.kernels.cull_idle_timeout: ",
    ),
    ("the chart's users", {"hub": {"cull": {"users": True}}}, "hub.cull.users: is not a setting"),
    ("a contact that is a program", {"hub": {"contact": "javascript:alert(1)"}}, "hub.contact: "),
    ("a contact that writes the mail", {"hub": {"contact": "a@example.org?subject=x"}}, "hub.contact: "),
    ("a contact without encryption", {"hub": {"contact": "http://example.org/help"}}, "hub.contact: "),
    ("a contact nowhere", {"hub": {"contact": "a@.."}}, "hub.contact: "),
    ("a contact at no host", {"hub": {"contact": "https://-"}}, "hub.contact: "),
    ("two contacts", {"hub": {"contact": "a@example.org, b@example.org"}}, "hub.contact: "),
    ("an announcement of nothing", {"hub": {"announcements": [{"text": " "}]}}, "hub.announcements.0.text: "),
    (
        "an announcement that is not shown",
        {"hub": {"announcements": [{"text": "\u200b\u2060"}]}},
        "hub.announcements.0.text: '\\u200b\\u2060': must have something that people see",
    ),
    *(
        (f"a button called {name!r}", {"hub": {"login": {**OIDC, "login_service": name}}}, "hub.login.login_service: ")
        for name in (" ", "a\nb", "x" * 201)
    ),
    (
        "an announcement at no place",
        {"hub": {"announcements": [{"text": "x", "where": ["nowhere"]}]}},
        "hub.announcements.0.where.0: ",
    ),
    (
        "an announcement that is loud",
        {"hub": {"announcements": [{"text": "x", "level": "loud"}]}},
        "hub.announcements.0.level: ",
    ),
    ("too many to read", {"hub": {"announcements": [{"text": "x"}] * 21}}, "hub.announcements: "),
    ("a key named twice", {"hub": {"keys": ["a", "b", "a"]}}, "hub.keys.2: a is named twice"),
    (
        "a guarantee above the limit",
        {"hub": {"size": {"mem_guarantee": "2Gi"}}},
        "hub.size.mem_guarantee: 2Gi is more than mem_limit, 1Gi",
    ),
    *(
        (
            f"{name} of a size that nothing can use",
            {"network": {name: network}},
            f"network.{name}: '{network}': /{size}",
        )
        for name, network, size in (
            ("services", "198.18.32.0/30", "30 must be between /12 and /24"),
            ("services", "198.18.32.0/29", "29 must be between /12 and /24"),
            ("services", "198.18.32.0/25", "25 must be between /12 and /24"),
            ("services", "10.0.0.0/8", "8 must be between /12 and /24"),
            ("pods", "198.18.64.0/25", "25 must be between /8 and /24"),
            ("pods", "198.18.64.1/32", "32 must be between /8 and /24"),
            ("machines", "198.18.0.0/30", "30 must be between /8 and /29"),
            ("load_balancers", "16.0.0.0/6", "6 must be between /8 and /32"),
        )
    ),
    ("every address there is", {"network": {"pods": "0.0.0.0/0"}}, "network.pods: '0.0.0.0/0': 0.0.0.0/0 holds"),
    ("loopback for pods", {"network": {"pods": "127.0.0.0/16"}}, "holds loopback addresses"),
    ("multicast for Services", {"network": {"services": "224.0.0.0/16"}}, "holds multicast addresses"),
    ("link-local machines", {"network": {"machines": "169.254.0.0/16"}}, "holds link-local addresses"),
    ("more than link-local", {"network": {"load_balancers": "169.254.0.0/15"}}, "holds link-local addresses"),
    (
        "the network's own address for the file server",
        {"storage": {"homes": {"service_address": "198.18.32.0"}}},
        "storage.homes.service_address: 198.18.32.0 is the first or the last address of 198.18.32.0/20",
    ),
    ("reserved addresses", {"network": {"load_balancers": "240.0.0.0/24"}}, "holds reserved (RFC 1112) addresses"),
    (
        "too few addresses for the pods of all nodes",
        {"network": {"pods": "198.18.64.0/24"}},
        "network.pods: 198.18.64.0/24 has 4 blocks of 64 addresses, and 3 nodes of 110 pods take 6",
    ),
    (
        "nodes' addresses outside the machines' network",
        {"network": {"nodes": ["10.0.0.0/24"]}},
        "network.nodes.0: 10.0.0.0/24 is not a part of network.machines",
    ),
    (
        "a node outside the addresses that are reserved for nodes",
        {"network": {"nodes": ["198.18.0.100/31"]}},
        "hosts.chick2.address: 198.18.0.102 is in none of network.nodes, and chick2 is a node",
    ),
    (
        "the file server among the addresses of nodes",
        {"network": {"nodes": ["198.18.0.64/26", "198.18.0.128/25"]}},
        "hosts.hen.address: 198.18.0.200 is in network.nodes, but hen is not a node",
    ),
    (
        "a name server that asks itself",
        {"network": {"dns": {"upstreams": ["192.0.2.53", "198.18.0.2"]}}},
        "network.dns.upstreams.1: 198.18.0.2 is the gateway itself",
    ),
    (
        "a name server on loopback",
        {"network": {"dns": {"upstreams": ["127.0.0.53"]}}},
        "network.dns.upstreams.0: 127.0.0.53 is the gateway itself",
    ),
    (
        "a name server twice",
        {"network": {"dns": {"upstreams": ["192.0.2.53", "192.0.2.53"]}}},
        "network.dns.upstreams.1: 192.0.2.53 is named twice",
    ),
    ("no word on name servers", {"network": {"dns": {"upstreams": None}}}, "network.dns.upstreams: is required"),
    (
        "a name of a name server",
        {"network": {"dns": {"upstreams": ["dns.example.org"]}}},
        "network.dns.upstreams.0: 'dns.example.org'",
    ),
    (
        "the site's public names in the machines' zone",
        {"network": {"dns": {"domain": "flock.example.org", "upstreams": []}}, "domain": "flock.example.org", **HUB},
        "network.dns.domain: flock.example.org holds domain, flock.example.org",
    ),
    (
        "the site's public names below the machines' zone",
        {"network": {"dns": {"domain": "example.org", "upstreams": []}}, "domain": "flock.example.org", **HUB},
        "network.dns.domain: example.org holds domain, flock.example.org",
    ),
    *(
        (f"machines in .{name}", {"network": {"dns": {"domain": f"flock.{name}", "upstreams": []}}}, f"end in .{name}")
        for name in ("local", "localhost", "arpa")
    ),
    (
        "administrators without address translation",
        {"network": {"administrators": ["192.0.2.0/24"]}},
        "network.administrators: is given, and network.nat is off",
    ),
    ("an old time zone", {"time_zone": "US/Pacific"}, "write America/Los_Angeles"),
    ("a zone of another spelling", {"time_zone": "europe/berlin"}, "time_zone: 'europe/berlin': is not a time zone"),
    ("a zone of no place", {"time_zone": "EST5EDT"}, "is not a time zone"),
    ("a path for a time zone", {"time_zone": "../etc/passwd"}, "is not a time zone"),
    *(
        (f"image {image}", {"hub": {"server_image": image}}, f"hub.server_image: '{image}': must {must}")
        for image, must in (
            ("jupyter/base-notebook:1", "begin with the registry's host"),
            ("notebook:1", "be HOST/PATH:TAG"),
            ("quay.io/Jupyter/base:1", "be HOST/PATH:TAG"),
            ("quay.io/jupyter/base", "have a tag or a digest"),
            ("quay.io/jupyter/base:", "be HOST/PATH:TAG"),
            ("quay.io/jupyter//base:1", "be HOST/PATH:TAG"),
            ("quay.io/jupyter/base-:1", "be HOST/PATH:TAG"),
            ("quay.io/jupyter/ba..se:1", "be HOST/PATH:TAG"),
            ("quay.io/jupyter/base@sha256:abc", "be HOST/PATH:TAG"),
            ("quay.io/jupyter/base@sha256:" + "ab" * 16, "have 64 hexadecimal digits"),
            ("mirror:99999/jupyter/base:1", "have at most 255 characters, and a port up to 65535"),
            ("quay.io/" + "x" * 260 + ":1", "have at most 255 characters"),
            ("https://quay.io/jupyter/base:1", "be HOST/PATH:TAG"),
            ("quay.io/jupyter/base:" + "x" * 129, "be HOST/PATH:TAG"),
        )
    ),
    (
        "a password in an apt source",
        {"mirrors": {"apt": {"site": {"url": "https://joe:hunter2@apt.example.org/"}}}},
        "mirrors.apt.site.url: 'https://***@apt.example.org/': must not hold a user name, a password or a query",
    ),
    (
        "a password in the registry's address",
        {"mirrors": {"registry": "https://token@registry.example.org"}},
        "mirrors.registry: 'https://***@registry.example.org': must not hold",
    ),
    (
        "a token in the query of an address",
        {"mirrors": {"registry": "https://registry.example.org/?token=hunter2"}},
        "mirrors.registry: 'https://registry.example.org/?***': must not hold",
    ),
    ("apt sources, and none", {"mirrors": {"apt": {"debian": None, "site": None}}}, "mirrors.apt: {}: "),
    (
        "a key that is none",
        {"mirrors": {"kubernetes_key": "DE15B14486CD377B9E876E1A234654DA9A296436"}},
        "mirrors.kubernetes_key: 'DE15B14486CD377B9E876E1A234654DA9A296436': must be an armoured public key",
    ),
    *(
        (
            f"another minor version at {url}",
            {"mirrors": {"apt": {"kubernetes": {"url": url, "suite": "/"}}}},
            f"mirrors.apt.kubernetes.url: {url} has packages of {minor}, and cluster.kubernetes_version is 1.36.3",
        )
        for url, minor in (
            ("https://pkgs.k8s.io/core:/stable:/v1.35/deb/", "1.35"),
            ("https://pkgs.k8s.io/core:/prerelease:/v1.37/deb/", "1.37"),
            ("https://apt.example.org/core:/stable:/v1.3/deb/", "1.3"),
            ("http://198.18.0.1/isv:/kubernetes:/core:/stable:/v1.35/deb/", "1.35"),
            ("http://198.18.0.1/kubernetes/v1.35", "1.35"),
            ("https://k8s.example.org/deb/v1.35", "1.35"),
            ("https://pkgs.k8s.io/core%3A/stable%3A/v1.35/deb/", "1.35"),
        )
    ),
    (
        "another version of Kubernetes than the repository's",
        {
            "cluster": {"kubernetes_version": "1.37.0"},
            "mirrors": {"apt": {"k8s": {"url": "https://pkgs.k8s.io/core:/stable:/v1.36/deb/", "suite": "/"}}},
        },
        "      henhouse:mirrors:\n        apt:\n          k8s: {url: 'https://pkgs.k8s.io/core:/stable:/v1.37/deb/'}",
    ),
    *(
        (
            f"an image of {host}, and a registry that has none",
            {room: {field: f"{host}/a/b:1"}},
            f"{room}.{field}: {host}/a/b:1 is from {host}, which is",
        )
        for room, field, host in (
            ("hub", "server_image", "ghcr.io"),
            ("hub", "image", "localhost:5000"),
            ("hub", "proxy_image", "198.18.0.1:5001"),
            ("edge", "image", "registry.k8s.io.example.org"),
        )
    ),
    (
        "a registry without henhouse's own images",
        {"mirrors": {"registry_hosts": ["docker.io"]}},
        "mirrors.registry_hosts: lacks quay.io, of which henhouse runs images",
    ),
    (
        "a registry without the proxy's image",
        {"mirrors": {"registry_hosts": ["quay.io", "registry.k8s.io"]}},
        f"edge.image: docker.io/library/nginx:{SITE['nginx']} is from docker.io, which is not",
    ),
    *(
        (f"files at the gateway's {path}", changes, f"{path}: {url} is port {port} of the gateway")
        for path, url, port, changes in (
            (
                "mirrors.apt.debian.url",
                "http://198.18.0.2/debian",
                80,
                {"mirrors": {"apt": {"debian": {"url": "http://198.18.0.2/debian"}}}},
            ),
            ("mirrors.registry", "https://198.18.0.2/", 443, {"mirrors": {"registry": "https://198.18.0.2"}}),
            (
                "cluster.calico.manifest",
                "http://198.18.0.2/calico.yaml",
                80,
                {"cluster": {"calico": {"manifest": "http://198.18.0.2/calico.yaml"}}},
            ),
        )
    ),
    *(
        (f"{address} for pods to ask", {"cluster": {"resolvers": [address]}}, "is not an address that a pod can ask")
        for address in ("127.0.0.53", "0.0.0.0", "224.0.0.251")
    ),
    (
        "images that are removed until there is more than before",
        {"cluster": {"image_gc_high_threshold_percent": 70, "image_gc_low_threshold_percent": 70}},
        "cluster.image_gc_low_threshold_percent: 70 is not less than image_gc_high_threshold_percent, 70",
    ),
    (
        "images that are removed until, and not from when",
        {"cluster": {"image_gc_low_threshold_percent": 70}},
        "cluster.image_gc_low_threshold_percent: 70: needs cluster.image_gc_high_threshold_percent",
    ),
    ("more than a disk", {"cluster": {"image_gc_high_threshold_percent": 101}}, "image_gc_high_threshold_percent: 101"),
    ("an age in days", {"cluster": {"image_maximum_gc_age": "30d"}}, "cluster.image_maximum_gc_age: '30d'"),
    ("four resolvers", {"cluster": {"resolvers": [f"192.0.2.{last}" for last in range(4)]}}, "cluster.resolvers: "),
    *(
        (f"a receiver with {name}", {"monitoring": {"receivers": {"ops": receiver}}}, f"monitoring.receivers.ops{says}")
        for name, receiver, says in (
            ("no type", {"url": "https://x.example.org"}, ".type: is required and not given"),
            (
                "an unknown type",
                {"type": "pager"},
                ": what is given is none of its types\n    accepted: mail, slack, webhook",
            ),
            (
                "another's setting",
                {"type": "webhook", "url": "https://x.org", "to": ["a@b.c"]},
                ".to: is not a setting",
            ),
            ("no recipient", {**MAIL, "to": []}, ".to: "),
            ("a name in an address", {**MAIL, "to": ["Ada <ada@example.org>"]}, ".to.0: "),
            ("two addresses in one", {**MAIL, "sender": "a@example.org,b@example.org"}, ".sender: "),
            ("a mail server without a port", {**MAIL, "smarthost": "mail.example.org"}, ".smarthost: "),
            ("a port that does not exist", {**MAIL, "smarthost": "mail.example.org:99999"}, ".smarthost: "),
            ("a password without a user", {**MAIL, "password": "x"}, ": user and password go together"),
            ("a user without a password", {**MAIL, "user": "x"}, ": user and password go together"),
            ("a password in plain", {**MAIL, "user": "x", "password": "x", "tls": "off"}, ": a password is not sent"),
            ("no severity", {**MAIL, "severities": []}, ".severities: "),
            ("an unknown severity", {**MAIL, "severities": ["page"]}, ".severities.0: "),
        )
    ),
    (
        "a receiver of the name of alert_webhook's",
        {"monitoring": {"alert_webhook": "https://x.example.org/", "receivers": {"alert-webhook": MAIL}}},
        "monitoring.receivers.alert-webhook: has the name of the receiver that monitoring.alert_webhook is short for",
    ),
    ("a site whose alerts reach no one", {"lab": "false"}, "monitoring.receivers: has no receiver of critical alerts"),
    ("the receiver to write", {"lab": "false"}, "smarthost: mail.henhouse.localhost:587"),
    (
        "a site whose critical alerts reach no one",
        {"lab": "false", "monitoring": {"receivers": {"ops": {**MAIL, "severities": ["warning"]}}}},
        "monitoring.receivers: has no receiver of critical alerts",
    ),
    ("a text that only looks like JSON", {"network": "{machines: 10.0.0.0/24}"}, "network: '{machines: 10.0.0.0/24}'"),
    (
        "one host key on two machines",
        {"hosts": {"chick1": {"host_key": KEY}, "chick2": {"host_key": KEY}}},
        "hosts.chick2.host_key: is also chick1's",
    ),
    *(
        (
            f"certificates that last {what}",
            {"cluster": {"certificate_lifetime": lifetime}},
            f"cluster.certificate_lifetime: '{lifetime}'",
        )
        for what, lifetime in (
            ("too short to be renewed", "19m"),
            ("longer than kubeadm advises", "366d"),
            ("longer than that in hours", "8761h"),
            ("a time without a unit", "365"),
            ("a time in another unit", "1y"),
            ("no time", "0d"),
        )
    ),
]


@pytest.mark.parametrize("stack", STACKS)
def test_committed_stack_is_accepted(stack: str) -> None:
    site = parse_settings(tree(stack))
    assert site.lab == (stack == "dev")


@pytest.mark.parametrize(("changes", "message"), [row[1:] for row in REJECTED], ids=[row[0] for row in REJECTED])
def test_mistake_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), changes))
    assert message in str(refused.value)


def test_all_mistakes_are_said_at_once() -> None:
    changes = {"edge": {"load_balancer_address": "198.18.0.3"}, "hub": {"keys": ["a", "a"]}, "lab": "false"}
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), changes))
    assert {problem.path for problem in refused.value.problems} == {
        "edge.load_balancer_address",
        "hub.keys.1",
        "hub.login",
        "monitoring.receivers",
    }


def test_secret_is_not_repeated_in_a_message() -> None:
    certificate = {"certificate": CHAIN, "private_key": ["hunter2"]}
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), {"edge": {"certificate": certificate}}))
    assert "edge.certificate.private_key" in str(refused.value)
    assert "hunter2" not in str(refused.value)


OF_PEOPLE: dict[str, Any] = {"lab": "false", "hub": {"login": "native"}}
ACCEPTED: list[dict[str, Any]] = [
    {"hub": {"cull": {"enabled": False}}},
    {"hub": {"concurrentSpawnLimit": 1, "activeServerLimit": 1, "consecutiveFailureLimit": 0}},
    {"hub": {"cull": {"timeout": 600, "maxAge": 0, "every": 30, "concurrency": 1}}},
    {"hub": {"cull": {"groups": [{"groups": ["a"], "maxAge": 0}, {"groups": ["a", "b"], "timeout": 60}]}}},
    {
        "hub": {
            "cull": {
                "kernels": {"cull_idle_timeout": 60, "cull_busy": True},
                "terminals": {"cull_inactive_timeout": 60, "cull_interval": 5},
            }
        }
    },
    {
        "hub": {
            "cull": {
                "groups": [
                    {"groups": ["a"], "kernels": {"cull_idle_timeout": 0}},
                    {"groups": ["b"], "terminals": {"cull_inactive_timeout": 60, "cull_interval": 5}, "maxAge": 0},
                ]
            }
        }
    },
    {"hub": {"announcements": [{"text": "x", "level": "danger", "where": ["login", "home"]}]}},
    {"hub": {"keys": ["b", "a"], "keys_lost": True}},
    {**OF_PEOPLE, "monitoring": {"alert_webhook": "https://x.example.org/"}},
    {**OF_PEOPLE, "monitoring": {"receivers": {"ops": {**MAIL, "severities": ["critical"]}}}},
    {
        "monitoring": {
            "receivers": {"ops": {**MAIL, "user": "hen", "password": "x"}},
            "watchdog": "https://x.example.org/",
        }
    },
    {"monitoring": {"receivers": {"ops": {"type": "slack", "url": "https://x.example.org/", "channel": "#ops"}}}},
    {"cluster": {"resolvers": ["198.18.0.2", "192.0.2.1"]}},
    {"cluster": {"resolvers": []}},
    {"cluster": {"image_gc_high_threshold_percent": 80, "image_maximum_gc_age": "720h"}},
    {"cluster": {"image_gc_high_threshold_percent": 80, "image_gc_low_threshold_percent": 0}},
    {"network": {"nodes": ["198.18.0.96/29", "198.18.0.128/26"]}},
    {"network": {"nat": True, "administrators": ["192.0.2.0/24"]}},
    {"network": {"dns": None}},
    {"network": {"dns": {"upstreams": ["192.0.2.53"], "domain": "machines.henhouse.localhost.example"}}},
    {
        "network": {"dns": {"upstreams": ["198.18.0.1"], "domain": "machines.flock.example.org"}},
        "domain": "flock.example.org",
        **HUB,
    },
    {"network": {"openings": [{"machine": "hen", "port": 5432, "sources": ["198.18.0.0/24"], "what": "PostgreSQL"}]}},
    {"hub": {"login": {"type": "native"}}},
    {"hub": {"login": "native"}},
    *(login(example) for example in PROVIDERS.values()),
    login(GITHUB, url="https://github.example.org", networks=["10.1.2.3/32"], denied_organizations=["foxes"]),
    login(GITHUB, allowed_organizations=[], allowed_users=["ada"], scope=["read:user"]),
    login(GITHUB, git_credentials=True, scope=["read:org", "repo"]),
    login(GITHUB, git_credentials=True, scope=["read:org", "public_repo"], git_identity=False),
    login(OIDC, allowed_groups=[], allow_all=True),
    login(OIDC, git_identity=False, identity_variables=False),
    login(GOOGLE, hosted_domain=["a.edu", "b.edu"], strip_domain="a.edu"),
    login(GOOGLE, hosted_domain=["a.edu", "b.edu"], strip_domain="none"),
    login(GOOGLE, hosted_domain=[], allow_all=False, allowed_users=["ada_at_gmail.com"]),
    login(CILOGON, idps={"urn:mace:example": {"allowed_domains": ["example.edu"]}}, allowed_groups=["CO:members"]),
    login(
        CILOGON,
        idps={IDP: {"allow_all": True, "username_derivation": {"action": "prefix", "prefix": "ex"}, "default": True}},
    ),
    FIRST_UID,
    {"access": {"user": "henhouse"}},
    {"access": {"user": "_svc-1"}},
    {"access": {"jump": "rooster"}},
    {"access": {"jump": {"machine": "rooster", "host": "203.0.113.10", "port": 2222, "tunnel_port": 4546}}},
    {"access": {"jump": {"machine": "chick0"}}},
    {"access": {"user": "ada", "jump": {"host": "bastion.example.org", "user": "guest", "host_key": KEY}}},
    {"access": {"jump": {"host": "192.0.2.1", "port": 2222, "host_key": KEY}}},
    {"edge": {"certificate": "authority"}},
    *({"network": {"services": network}} for network in ("10.96.0.0/12", "10.96.0.0/24", "198.18.32.0/20")),
    *({"network": {"pods": network}} for network in ("10.128.0.0/9", "198.18.64.0/22")),
    *({"time_zone": name} for name in ("Etc/UTC", "UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT-14")),
    *({"time_zone": name} for name in ("America/Port-au-Prince", "Africa/Porto-Novo", "Asia/Kolkata")),
    {"mirrors": None},
    {"mirrors": {"apt": None}},
    {"mirrors": {"registry": None}, "hub": {"server_image": "ghcr.io/a/b:1"}},
    {"mirrors": {"registry_hosts": ["registry.k8s.io", "quay.io", "docker.io", "ghcr.io"]}},
    {"mirrors": {"apt": {"debian": {"check_valid_until": False}}}},
    {"mirrors": {"apt": {"debian": {"url": "http://198.18.0.2:8080/debian"}}}},
    *(
        {"mirrors": {"apt": {"other": {"url": url, "suite": "/"}}}}
        for url in (
            "https://pkgs.k8s.io/core:/stable:/v1.36/deb/",
            "https://pkgs.k8s.io/addons:/cri-o:/stable:/v1.35/deb/",
            "http://198.18.0.1/kubernetes/",
            "https://apt.example.org/tool/v1.35/",
        )
    ),
    *(
        {"mirrors": {"registry": None}, "hub": {"server_image": image}}
        for image in (
            "localhost/base:1",
            "registry.example.org:5000/team/sub-team/hub_image:V1.2-rc.1_x",
            "mirror:5000/a/b:1",
        )
    ),
    *(
        {"hub": {"server_image": image}}
        for image in (
            "quay.io/jupyter/base-notebook:2026-10-05",
            "docker.io/library/nginx@sha256:" + "0a" * 32,
            "docker.io/library/nginx:1.27@sha512:" + "0a" * 64,
            "198.18.0.1:5000/quay.io/jupyter/base__x:1",
        )
    ),
    *(
        {"hub": {"contact": contact}}
        for contact in (
            "help@example.org",
            "o'neil+hub@cs.example.ac.uk",
            "https://example.org",
            "https://example.org:8443?topic=hub",
            "https://matrix.to/#/#room:example.org",
            "https://chat.example.org/messages/@help",
            "https://help.example.org/form/(hub),new!?a=1&b=%20#top",
        )
    ),
    *({"cluster": {"certificate_lifetime": lifetime}} for lifetime in ("20m", "12h", "8760h", "365d")),
]


@pytest.mark.parametrize("changes", ACCEPTED, ids=repr)
def test_what_a_site_may_write_is_accepted(changes: dict[str, Any]) -> None:
    base = changed(tree("dev"), {"network": {"load_balancers": "198.18.48.0/24"}})
    parse_settings(changed(base, changes))


@pytest.mark.parametrize("name", ["hub.henhouse.localhost", "*.henhouse.localhost"])
def test_certificate_of_the_hubs_name_is_accepted(name: str) -> None:
    own = {"certificate": Authority().issue(name)[0], "private_key": "PEM"}
    for each in (own, {"type": "supplied", **own}):
        parse_settings(changed(tree("dev"), {"edge": {"certificate": each}}))


def test_webhook_is_repeated_nowhere() -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), {"monitoring": {"alert_webhook": "hooks.example.org/T0P-S3CRET"}}))
    assert "monitoring.alert_webhook: " in str(refused.value)
    assert "T0P-S3CRET" not in str(refused.value)
    site = parse_settings(changed(tree("dev"), {"monitoring": {"alert_webhook": "https://x.example.org/T0P-S3CRET"}}))
    assert "T0P-S3CRET" not in repr(site)


@pytest.mark.parametrize(
    "changes",
    [
        {"monitoring": [{"alert_webhook": "https://hooks.example.org/T0P-S3CRET"}]},
        {"monitoring": {"alert_webhook": ["https://hooks.example.org/T0P-S3CRET"]}},
        {"monitoring": "T0P-S3CRET"},
        {
            "hub": {
                "db": {"type": "postgres", "url": "postgresql://hub:T0P-S3CRET @db.example.org/hub", "password": "x"}
            }
        },
        {
            "hub": {
                "db": {"type": "postgres", "url": "postgresql://hub:T0P-S3'C\"RET@db.example.org/hub", "password": "x"}
            }
        },
        {"hub": {"db": {"type": "postgres", "url": "postgresql:hub:T0P-S3CRET@db.example.org/hub", "password": "x"}}},
        {"hub": {"db": {"type": "postgres", "url": "hub:T0P-S3CRET@db.example.org", "password": "x"}}},
        {
            "hub": {
                "db": {
                    "type": "postgres",
                    "url": "postgresql://hub@192.0.2.10/hub",
                    "password": "x",
                    "certificate_authority": "-----BEGIN PRIVATE KEY-----\nT0P-S3CRET\n-----END PRIVATE KEY-----\n",
                }
            }
        },
        {"monitoring": {"watchdog": "T0P-S3CRET"}},
        {"monitoring": {"receivers": [{"url": "T0P-S3CRET"}]}},
        {"monitoring": {"receivers": {"ops": "T0P-S3CRET"}}},
        {"monitoring": {"receivers": {"ops": {"type": "T0P-S3CRET"}}}},
        {"monitoring": {"receivers": {"ops": {"type": "slack", "url": "T0P-S3CRET"}}}},
        {"monitoring": {"receivers": {"ops": {**MAIL, "user": "x", "password": ["T0P-S3CRET"]}}}},
        {"monitoring": {"receivers": {"ops": {**MAIL, "password": "T0P-S3CRET"}}}},
        {"access": [{"private_key": "T0P-S3CRET"}]},
        {"edge": {"certificate": "T0P-S3CRET"}},
        {"edge": {"certificate": ["T0P-S3CRET"]}},
        {"mirrors": {"registry": "https://u:p@ss/T0P-S3CRET@host/"}},
        {"hub": {"extraEnv": {"TOKEN=T0P-S3CRET": ""}}},
        {"hub": {"singleuser": {"extraEnv": {"TOKEN: T0P-S3CRET": ""}}}},
        {"hub": {"services": {"a=T0P-S3CRET": {}}}},
        login(GITHUB, **{"client_secret=T0P-S3CRET": ""}),
        {"hub": {"imagePullSecrets": {"quay.io": {"username": "u:T0P-S3CRET", "password": "x"}}}},
        {"hub": {"image_menu": {"repository": "quay.io/a/b", "user": "u:T0P-S3CRET"}}},
        {"hub": {"pages_repository": {"url": "https://x.org/a", "commit": "1f" * 20, "user": "git:T0P-S3CRET "}}},
        *(
            {"hub": {"db": {"type": "postgres", "url": url, "password": "x"}}}
            for url in (
                "postgresql://hub:T0P-S3CRET",
                "host=x user=hub password=T0P-S3CRET",
                "postgresql://hub:1T0P-S3CRET/x",
            )
        ),
        {"hub": {"services": {"a": {"command": "python3 x --token T0P-S3CRET"}}}},
    ],
)
def test_secret_in_the_wrong_place_is_repeated_nowhere(changes: dict[str, Any]) -> None:
    """One stray hyphen makes a list of a section; the message must not print what is in it."""
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), changes))
    assert "T0P-S3CRET" not in str(refused.value)


@pytest.mark.parametrize("old", sorted(renamed()))
def test_name_that_is_suggested_for_an_old_zone_is_accepted(old: str) -> None:
    today = renamed()[old]
    assert today in zones() or today in renamed() or "/" not in today


def test_settings_that_are_kept_secret_are_known_by_their_types() -> None:
    assert secret_settings() == [
        "access.private_key",
        "edge.certificate.private_key",
        "hub.db.password",
        "hub.extraEnv.<name>",
        *(f"hub.extraFiles.<name>.{content}" for content in ("binaryData", "data", "stringData")),
        "hub.imagePullSecrets.<name>.password",
        "hub.image_menu.password",
        "hub.login.client_secret",
        "hub.pages_repository.password",
        "hub.services.<name>.apiToken",
        "hub.singleuser.extraEnv.<name>",
        *(f"hub.singleuser.extraFiles.<name>.{content}" for content in ("binaryData", "data", "stringData")),
        "monitoring.alert_webhook",
        "monitoring.receivers.<name>.password",
        "monitoring.receivers.<name>.url",
        "monitoring.watchdog",
    ]


def test_prod_is_the_flock() -> None:
    site = parse_settings(tree("prod"))
    pool = site.storage.pool
    assert sorted(site.hosts) == sorted(["rooster", "hen", *(f"chick{number}" for number in range(19))])
    assert [(vdev.type, len(vdev.disks)) for vdev in pool.vdevs] == [("raidz2", 6)] * 4
    assert (len(pool.log), len(pool.spares)) == (2, 2)


@pytest.mark.parametrize("stack", STACKS)
def test_committed_stack_fits_the_schema_for_editors(stack: str) -> None:
    jsonschema.validate(yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text()), schema.schema())


def test_settings_reference_is_fresh() -> None:
    assert schema.MARKDOWN.read_text() == schema.markdown(), "run `make docs`"
    assert schema.SCHEMA.read_text() == schema.schema_text(), "run `make docs`"


def menu_signed_by(authority: str) -> dict[str, Any]:
    return {"hub": {"image_menu": {"repository": "quay.io/team/lab", "certificate_authority": authority}}}


@pytest.mark.parametrize(
    "signed_by", [lambda pem: login(GITHUB, certificate_authority=pem), menu_signed_by], ids=["login", "menu"]
)
@pytest.mark.parametrize("what", ["key usage", "subject key", "critical"])
def test_authority_that_the_hubs_next_python_does_not_trust_is_refused(
    what: str, signed_by: Callable[[str], dict[str, Any]]
) -> None:
    """Else people would read that they cannot log in at the moment, or find an empty menu, for ever."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), what != "critical")
    if what != "key usage":
        made = made.add_extension(CERTIFICATE_SIGNING, True)
    if what != "subject key":
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    with pytest.raises(
        SettingsError, match=f"has an authority without .*{what}.*, which Python does not trust from 3.13 on"
    ):
        parse_settings(changed(tree("dev"), signed_by(pem)))
    parse_settings(changed(tree("dev"), signed_by(Authority().pem)))


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://github.com", "https://api.github.com"),
        ("https://GitHub.com:443/", "https://api.github.com"),
        ("https://github.example.org:8443/", "https://github.example.org:8443/api/v3"),
        ("https://barn.ghe.com", "https://api.barn.ghe.com"),
    ],
)
def test_github_answers_programs_elsewhere(url: str, api: str) -> None:
    of = parse_settings(changed(tree("dev"), login(GITHUB, url=url))).hub
    assert of.login.values(of.callback_url)["api"] == api


def test_other_texts_with_colons_are_shown() -> None:
    wrong = {"hub": {"db": {"type": "postgres", "url": "mysql://db.example.org:3306/hub", "password": "x"}}}
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), changed(wrong, {"hub": {"server_image": "quay.io:5000/a:b:c"}})))
    assert "hub.db.url: 'mysql://db.example.org:3306/hub': must begin with postgresql://" in str(refused.value)
    assert "hub.server_image: 'quay.io:5000/a:b:c': must be HOST/PATH:TAG" in str(refused.value)
