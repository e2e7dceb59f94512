"""What every settings model shares, and the types that more than one of them uses."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints


class Model(BaseModel):
    """Settings are frozen once read, know no field they do not document, and take their documentation from the
    docstrings."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


HostName = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""One label of a machine's name (RFC 1123), beginning with a letter because it is also part of resource names."""

DomainName = Annotated[
    str,
    StringConstraints(
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", max_length=253
    ),
]
"""A fully qualified name in lower case without the final dot (RFC 1035, 2.3.1)."""

HostKey = Annotated[str, StringConstraints(pattern=r"^ssh-ed25519 [A-Za-z0-9+/]{68}$")]
"""An ed25519 public key as in `/etc/ssh/ssh_host_ed25519_key.pub`, without its comment.

RSA is not accepted: pinning one makes the SSH client ask for SHA-1 signatures, which current servers refuse.
"""

DiskId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:+=-]{2,126}$")]
"""A name in `/dev/disk/by-id`. Kernel names such as sda change between boots and are refused."""

ImageName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9.-]+\.[a-z]+(/[a-z0-9._-]+)+(:[A-Za-z0-9._-]+)?(@sha256:[0-9a-f]{64})?$")
]
"""A container image by its upstream name, host included, with a tag or a digest."""

AsNumber = Annotated[int, "BGP autonomous system number"]

ByteSize = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*(Ki|Mi|Gi|Ti)$")]
"""A size as Kubernetes writes it, for example 512Mi."""
