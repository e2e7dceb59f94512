"""`ops review`: what an edit changes, told without the site's secrets."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from engine.install import ensure_engine
from ops.commands.review import Change, changes, markdown, summary
from ops.plans import PLACEHOLDER, Plan, without_secrets
from tests.stacks.sites import ROOT

POD = "urn:pulumi:prod::henhouse::henhouse:app:Hub$kubernetes:apps/v1:Deployment::hub-server"
ROLE = "urn:pulumi:prod::henhouse::henhouse:host:BareMetalNode$command:remote:Command::hen-base-command"


def test_encrypted_values_and_the_salt_are_replaced() -> None:
    text = (ROOT / "Pulumi.prod.yaml").read_text()
    plain = without_secrets(text)
    assert "secure" not in plain
    assert "v1:" not in plain
    assert PLACEHOLDER in plain
    assert set(yaml.safe_load(plain)["config"]) == set(yaml.safe_load(text)["config"])


def test_made_changed_and_removed_resources_are_named() -> None:
    before: Plan = {ROLE: {"create": "one\ntwo\n"}, POD: {"spec": {"replicas": 1}}}
    after: Plan = {ROLE: {"create": "one\nthree\n"}, POD.replace("hub-server", "hub-proxy"): {}}
    assert list(changes(before, after)) == [
        Change("update", "command:remote:Command", "hen-base-command", ("create: -two", "create: +three")),
        Change("create", "kubernetes:apps/v1:Deployment", "hub-proxy"),
        Change("delete", "kubernetes:apps/v1:Deployment", "hub-server"),
    ]


def test_long_texts_are_cut() -> None:
    (change,) = changes({ROLE: {"create": "a\n"}}, {ROLE: {"create": "\n".join(map(str, range(40)))}})
    assert len(change.details) == 13
    assert change.details[-1] == "create: and 29 more lines"


def test_comment_says_what_it_does_not_show() -> None:
    text = markdown("prod", "origin/main", [Change("update", "a:b:C", "name", ("x: `1|2` → 3",))], 9)
    assert "1 to update; 9 resources in all." in text
    assert "| update | `a:b:C` name | `x: '1&#124;2' → 3` |" in text
    assert "Encrypted settings were not read" in text
    assert summary([], 9) == "nothing changes; 9 resources in all."


@pytest.mark.engine
def test_job_reviews_an_edit_of_the_committed_site(tmp_path: Path) -> None:
    """As the jobs in .github and .gitlab-ci.yml do, with no passphrase in the environment."""
    tree = tmp_path / "tree"
    subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(tree)], check=True)
    settings = tree / "Pulumi.prod.yaml"
    opening = "    openings: [{machine: hen, port: 5432, what: PostgreSQL}]\n"
    edited = settings.read_text().replace("henhouse:network:\n", f"henhouse:network:\n{opening}")
    settings.write_text(edited)
    engine = ensure_engine(backend=tmp_path)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **engine.env}
    command = [sys.executable, "-m", "ops", "review", "--stack", "prod", "--base", "HEAD", "--json"]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = {each["name"]: each for each in json.loads(done.stdout)}
    assert set(found) == {"hen-firewall-command"}
    assert found["hen-firewall-command"]["details"] == [
        'create: +        tcp dport 5432 counter accept comment "PostgreSQL"'
    ]
    assert settings.read_text() == edited
