"""A public name, and the Service behind it."""

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class Route:
    """A public name: the edge answers for it, its certificate is good for it, DNS has it, and it is watched."""

    host: str
    """Fully qualified, without the final dot."""
    namespace: pulumi.Output[str]
    address: pulumi.Output[str]
    """The Service's ClusterIP. It leads to the pods without the cluster's DNS and without its API server."""
    port: int
    """Of the Service."""
    health_path: str
    """The page that answers 200 when all is well, such as /hub/health."""

    asks_others: tuple[str, ...] = ()
    """Paths at which every request, also a stranger's, makes the program ask someone outside, such as an identity
    provider: the edge limits how often one address may open them."""

    @property
    def health_url(self) -> str:
        """The page's address, as a browser has it."""
        return f"https://{self.host}{self.health_path}"
