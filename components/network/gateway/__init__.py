"""The gateway: it forwards between the site and the cluster's networks, which it learns from the nodes by BGP."""

from components.network.gateway.component import Gateway

__all__ = ["Gateway"]
