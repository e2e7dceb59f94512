"""The cluster's namespaces: one for each thing whose pods must not reach another's."""

from components.cluster.namespaces.component import Namespaces

__all__ = ["Namespaces"]
