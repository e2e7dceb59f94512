"""A hub that serves its pages, as a pod runs it, and people's browsers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests

from tests.certificates import LOOPBACK, Authority
from tests.programs.hub.asking import kubeconfig
from tests.programs.hub.loaded import KUBECONFIG, Script

SERVING: Final = Path(__file__).with_name("serving.py")
HUB_CA: Final = "ca.crt"


class Browser:
    """One person's browser."""

    def __init__(self, url: str, *authorities: Path) -> None:
        """Open it with nothing logged in; it trusts these authorities."""
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False  # whatever authority the environment names
        trusted = authorities[0].with_name(f"trusted-{len(authorities)}.pem")
        trusted.write_text("".join(each.read_text() for each in authorities))
        self.session.verify = str(trusted)
        self.last: requests.Response
        """The page on which `follow` ended."""

    def get(self, path: str) -> requests.Response:
        """Open a page."""
        return self.session.get(f"{self.url}{path}", allow_redirects=False)

    def post(self, path: str, **fields: str) -> requests.Response:
        """Send a form, with the token of the page that it is on."""
        data = {"_xsrf": self.xsrf(), **fields}
        return self.session.post(f"{self.url}{path}", data=data, allow_redirects=False)

    def log_in(self, name: str, password: str) -> str | None:
        """Return where the person is sent, or None when they are not let in."""
        return self.post("/hub/login", username=name, password=password).headers.get("Location")

    def xsrf(self) -> str:
        """Return the hub's token against forged forms."""
        self.session.get(f"{self.url}/hub/login", allow_redirects=False)
        return next((each.value for each in self.session.cookies if each.name == "_xsrf"), "") or ""

    def follow(self, path: str, public: str) -> requests.Response:
        """Open a page and go where it sends the browser; `public` is the hub's address in what others say."""
        answer = self.get(path)
        for _ in range(10):
            if "Location" not in answer.headers:
                break
            target = answer.headers["Location"].replace(public, self.url)
            target = target if urlsplit(target).netloc else f"{self.url}{target}"
            answer = self.session.get(target, allow_redirects=False)
        self.last = answer
        return answer


@contextmanager
def serving(config: Path, *, cluster: str | None = None, host: str = "hub", **environment: str) -> Iterator[str]:
    """Run a hub with this configuration file and return its address; `HUB_CA` beside the file vouches for it.

    `cluster` is the kubeconfig of its cluster. If omitted, nothing answers there. `host` is its public name, which is
    in its certificate beside the address.
    """
    directory = config.parent
    authority = Authority()
    certificate, key = authority.issue(host)
    for name, text in ((HUB_CA, authority.pem), ("hub.crt", certificate), ("hub.key", key)):
        (directory / name).write_text(text)
    (directory / KUBECONFIG).write_text(cluster or kubeconfig("https://127.0.0.1:1"))
    process = Script(
        SERVING,
        str(config),
        *(str(directory / name) for name in ("hub.crt", "hub.key")),
        cwd=directory,
        errors="log",
        **environment,
    )
    port = process.stdout.readline().strip()
    assert port, (directory / "log").read_text()
    try:
        yield f"https://{LOOPBACK}:{port}"
    finally:
        process.stdin.close()
        process.wait(60)  # not for the end of its output, which servers of its people may have as well
        process.stdout.close()
