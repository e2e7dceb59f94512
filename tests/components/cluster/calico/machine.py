"""A machine of a cluster, as far as this room's scripts see it: its files in a directory, kubeadm and kubectl stand-ins
that keep to what the real ones do to those files."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from converge.items import Script
from converge.render import APPLIED_BEFORE
from converge.role import Role

ETC: Final = "/etc/kubernetes"
DATA: Final = "/var/lib/etcd"

KUBEADM: Final = r"""
echo "kubeadm $*" >>"$ROOT/log"
case "$1 ${2-}" in
  init*)
    [ -z "${FAILS_AT-}" ] || [ "$FAILS_AT" != start ] || exit 1
    if ! [ -s "$ROOT$ETC/pki/ca.crt" ]; then
      mkdir -p "$ROOT$ETC/pki/etcd"
      for file in ca.crt ca.key sa.key etcd/ca.crt etcd/ca.key; do echo "$RANDOM$RANDOM" >"$ROOT$ETC/pki/$file"; done
    fi
    [ "${FAILS_AT-}" != certs ] || exit 1
    mkdir -p "$ROOT$DATA/member"
    [ -e "$ROOT$DATA/member/uid" ] || echo "$RANDOM" >"$ROOT$DATA/member/uid"
    [ "${FAILS_AT-}" != etcd ] || exit 1
    touch "$ROOT/answers"
    [[ $* == *--skip-phases=* ]] || touch "$ROOT$DATA/member/objects" ;;
  reset*)
    rm -rf "$ROOT$ETC/pki" "$ROOT/answers"
    rm -f "$ROOT$ETC/kubelet.conf" "$ROOT$ETC/bootstrap-kubelet.conf"
    if [ -d "$ROOT$DATA" ]; then find "$ROOT$DATA" -mindepth 1 -delete; fi ;;
  join*)
    cat >"$ROOT/joined-with"
    mkdir -p "$ROOT$ETC/pki"
    cp "$ROOT/authority.crt" "$ROOT$ETC/pki/ca.crt"
    [ "${FAILS_AT-}" != bootstrap ] || exit 1
    echo conf >"$ROOT$ETC/kubelet.conf"
    touch "$ROOT/answers" ;;
  "token generate") echo abcdef.0123456789abcdef ;;
  *) exit 9 ;;
esac
"""
"""init and join leave what the real ones leave when they are cut short at `FAILS_AT`; reset deletes what it prints."""

KUBECTL: Final = r"""
echo "kubectl $*" >>"$ROOT/log"
case "$*" in
  *"get configmap/kubeadm-config"*) [ -e "$ROOT/answers" ] && [ -e "$ROOT$DATA/member/objects" ] ;;
  *"get node $NODE_HERE" | *"/readyz") [ -e "$ROOT/answers" ] ;;
  *"get namespace kube-system"*) [ -e "$ROOT/answers" ] && cat "$ROOT$DATA/member/uid" ;;
  *"--output=jsonpath={.metadata.name} {.status.nodeInfo.machineID}"*)
    [ ! -e "$ROOT/node" ] || echo "$NODE_HERE $(<"$ROOT/node")" ;;
  *"/proxy/healthz"*) [ -e "$ROOT/kubelet-answers" ] ;;
  *"delete node"*) rm "$ROOT/node" ;;
  *"expiration"*) if [ -e "$ROOT/token" ]; then cat "$ROOT/token"; else echo NotFound >&2; exit 1; fi ;;
  *"apply --server-side"*) sed -n 's/^  expiration: "\(.*\)"$/\1/p' >"$ROOT/token" ;;
  *) exit 9 ;;
esac
"""

SYSTEMCTL: Final = r"""
echo "systemctl $*" >>"$ROOT/log"
case "$*" in *"LoadState"*) cat "$ROOT/etcd-mount" 2>/dev/null || echo not-found ;; esac
"""


@dataclass(frozen=True)
class Answer:
    """How a script ended, and all that it printed."""

    status: int
    printed: str


class MachineOfFiles:
    """Runs one script of a role against the files under `root`."""

    def __init__(self, root: Path, role: Role, item: str, secrets: Mapping[str, str] | None = None) -> None:
        """`item` is the name of the script; `secrets` are what it gets on standard input."""
        (self.script,) = [each for each in role.items if isinstance(each, Script) and each.name == item]
        self.root = root
        self.secrets = dict(secrets or {})
        (root / "bin").mkdir()
        for name, text in (("kubeadm", KUBEADM), ("kubectl", KUBECTL), ("systemctl", SYSTEMCTL)):
            stand_in = root / "bin" / name
            stand_in.write_text(f"#!/bin/bash\n{text}")
            stand_in.chmod(0o755)
        self.path(f"{ETC}/henhouse").mkdir(parents=True)
        self.write(f"{ETC}/henhouse/join.yaml", "token: 000000.0000000000000000")

    def path(self, path: str) -> Path:
        """Where a file of the machine is."""
        return self.root / path.removeprefix("/")

    def write(self, path: str, text: str = "x") -> None:
        """Put a file on the machine."""
        self.path(path).parent.mkdir(parents=True, exist_ok=True)
        self.path(path).write_text(text + "\n")

    def marks(self) -> set[str]:
        """Names of the marks that are there."""
        return {each.name for each in self.path(f"{ETC}/henhouse").iterdir()} - {"join.yaml"}

    def check(self) -> Answer:
        """Look, and change nothing."""
        before = self._everything()
        answer = self._run(self.script.check)
        assert self._everything() == before
        return answer

    def apply(self, *, known: bool = False, fails_at: str = "") -> Answer:
        """Apply once; `known` when the stack's state has the role, `fails_at` to be cut short."""
        return self._run(self.script.apply, known=known, fails_at=fails_at)

    def did(self) -> list[str]:
        """Return which subcommands of kubeadm have run so far."""
        lines = (self.root / "log").read_text().splitlines() if (self.root / "log").exists() else []
        return [line.split()[1] for line in lines if line.startswith("kubeadm ")]

    def _everything(self) -> dict[str, str]:
        files = [each for each in self.root.rglob("*") if each.is_file() and each.name != "log"]
        return {str(each): each.read_text() for each in files}

    def _run(self, text: str, *, known: bool = False, fails_at: str = "") -> Answer:
        here = text.replace(ETC, f"{self.root}{ETC}").replace(DATA, f"{self.root}{DATA}")
        # What is waited for does not come by itself here.
        here = re.sub(r"SECONDS \+ \d+", "SECONDS - 1", here)
        values = "\n".join(f"secrets[{name}]='{value}'" for name, value in self.secrets.items())
        secret = f'declare -A secrets=()\n{values}\nsecret() {{ printf %s "${{secrets[$1]?}}"; }}\n'
        before = APPLIED_BEFORE if known else ""
        environment = {"ROOT": str(self.root), "ETC": ETC, "DATA": DATA, "FAILS_AT": fails_at, "NODE_HERE": "chick2"}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{before}{secret}role() {{\n{here}\n}}\n( role )"],
            env=os.environ | environment | {"PATH": f"{self.root}/bin:{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Answer(done.returncode, done.stdout)
