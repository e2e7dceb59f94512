"""`pulumi-resource-kubernetes`: any object of any cluster; created by POST, changed by server-side apply."""
