"""A cluster of the committed rack, against mocks."""

import base64
import hashlib
import json
from collections.abc import Callable, Collection

import pulumi
import pulumi_random as random
import pytest
import yaml

from components.cluster.calico import CalicoCluster
from components.contracts.machines import Machine, SshTarget
from stacks.load import parse_settings
from stacks.settings import Site
from tests.certificates import Authority
from tests.recorded import UNKNOWN, Recorded
from tests.stacks.sites import tree

TOKEN = "abcdef.0123456789abcdef"
NOW = 1_800_000_000.0


def machine_id(name: str) -> str:
    """Return the machine-id(5) of a machine of these tests."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


@pytest.fixture(scope="session")
def site() -> Site:
    """Return the settings of the virtual rack."""
    return parse_settings(tree("dev"))


@pytest.fixture(scope="session")
def authority() -> str:
    """PEM of an authority as kubeadm makes one."""
    return Authority().pem


@pytest.fixture(scope="session")
def admin_conf(authority: str) -> str:
    """Return the file that kubeadm leaves for the administrator."""
    cluster = {
        "certificate-authority-data": base64.b64encode(authority.encode()).decode(),
        "server": "https://api.flock.internal:6443",
    }
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "flock", "cluster": cluster}],
            "users": [{"name": "kubernetes-admin", "user": {"client-key-data": "a2V5IG9mIHRoZSBhZG1pbmlzdHJhdG9y"}}],
            "contexts": [{"name": "admin", "context": {"cluster": "flock", "user": "kubernetes-admin"}}],
            "current-context": "admin",
        }
    )


@pytest.fixture
def cluster(site: Site, admin_conf: str, authority: str, record: Callable[..., Recorded]) -> Callable[..., Recorded]:
    """Provide a function that registers the cluster at a time; with `preview`, as where nothing exists yet.

    The commands that are `unknown` are being run again.
    """

    def program(now: float) -> pulumi.Output[dict[str, object]]:
        before = random.RandomId("before", byte_length=1)
        machines = {
            name: Machine(name, host, SshTarget.of(name, host, site.access), before, machine_id(name))
            for name, host in site.hosts.items()
        }
        made = CalicoCluster("flock", site, machines=machines, gateway=before, now=now)
        pulumi.export("kubeconfig", made.kubeconfig)
        (scrape,) = made.watched.scrape
        pulumi.export("token", scrape.bearer_token)
        pulumi.export("ca", scrape.ca)
        return pulumi.Output.from_input({"addresses": list(scrape.addresses), "ready": made.access.ready.urn})

    def facts(**values: str) -> dict[str, str]:
        return {"stdout": json.dumps(values)}

    answers = {
        "chick0-authority-command": facts(ca=base64.b64encode(authority.encode()).decode()),
        "chick0-administrator-command": facts(kubeconfig=base64.b64encode(admin_conf.encode()).decode()),
        "chick0-admission-of-chick1-command": facts(token=TOKEN),
        "chick0-admission-of-chick2-command": facts(token="fedcba.fedcba9876543210"),
        "flock-prometheus-token": {"data": {"token": base64.b64encode(b"token of prometheus").decode()}},
    }

    def run(*, preview: bool = False, now: float = NOW, unknown: Collection[str] = ()) -> Recorded:
        nothing = {"command:remote:Command": {"stdout": UNKNOWN}, "flock-prometheus-token": {"data": UNKNOWN}}
        known = {**answers, **{name: {"stdout": UNKNOWN} for name in unknown}}
        return record(lambda: program(now), outputs=nothing if preview else known, preview=preview or bool(unknown))

    return run
