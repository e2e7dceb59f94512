"""The way in: the gateway that knows where the cluster is, and the edge that answers for every public name."""
