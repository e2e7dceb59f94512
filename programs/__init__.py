"""What runs on machines and in pods: standard library only, for the Python that is there.

`zpool` and `homes` run on the file server, Debian 13's Python 3.13; `hub` is JupyterHub's configuration and runs in the
hub's image. Nothing here is imported by what a machine or a pod does not have.
"""
