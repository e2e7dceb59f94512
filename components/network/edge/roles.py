"""What the edge needs of the gateway."""

from typing import Final

from components.certificates import told
from converge.items import Directory, File, Package, Unit
from converge.role import Role
from programs.certificates.spec import Certificate, Spec

CONFIG: Final = "/etc/haproxy/haproxy.cfg"
DIRECTORY: Final = "/etc/henhouse/edge"
CERTIFICATE: Final = f"{DIRECTORY}/certificate.pem"


def edge_proxy(config: str) -> Role:
    """Return the role in which HAProxy runs with this configuration.

    A change is a reload, which drops no connection.
    """
    return Role(
        "edge-proxy",
        (
            Package("haproxy"),
            File(CONFIG, content=config, validate='haproxy -c -f "$NEW"'),
            Unit("haproxy.service", restart_on=(CONFIG,), reload=True),
        ),
    )


def certificate_role(renewer: str) -> Role:
    """Return the role that tells when the certificate ends that is shown to browsers; `renewer` renews it.

    The role takes the secret `chain`, the certificate alone; its key is in the cluster.
    """
    return Role(
        "edge-certificate",
        (
            Directory(DIRECTORY, mode="0700"),
            File(CERTIFICATE, secret="chain", mode="0600"),
            *told(Spec("edge", {"edge": Certificate(CERTIFICATE, renewer)})),
        ),
    )
