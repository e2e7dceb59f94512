"""Ends when the API server lets the hub see user pods; runs before JupyterHub, with the hub's service account.

A JupyterHub that cannot ask about a server takes it for stopped and forgets it, with everything that runs in it. After
a power cut the hub's machine may be back before the control plane is, or before its own way to it.
"""

import json
import os
import ssl
import sys
import time
import urllib.request
from pathlib import Path

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
ANSWER_SECONDS = 5.0
PAUSE_SECONDS = 1.0


def refusal(url: str, account: Path) -> str | None:
    """Why the request that KubeSpawner begins with fails, None when it does not."""
    # Read each time: the kubelet renews the token.
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {(account / 'token').read_text()}"})
    context = ssl.create_default_context(cafile=str(account / "ca.crt"))
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS, context=context):
            return None
    except OSError as error:  # what urllib raises is an OSError, too
        return str(error)


def main(site: Path, account: Path) -> None:
    """Repeat the request until it succeeds; print each new reason why it does not."""
    namespace = json.loads(site.read_text())["users_namespace"]
    server = f"{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ['KUBERNETES_SERVICE_PORT']}"
    url = f"https://{server}/api/v1/namespaces/{namespace}/pods?limit=1"
    said = None
    while reason := refusal(url, account):
        if reason != said:
            print(f"waiting for {url}: {reason}", flush=True)
        said = reason
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main(Path(__file__).with_name("site.json"), Path(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNT)
