#!/bin/sh
# pip-install LOCK: installs exactly what the lock file names, by its hashes, into the environment that JupyterLab is in.
set -eu
/opt/jupyter/bin/pip install --no-cache-dir --no-compile --disable-pip-version-check --require-hashes --requirement "$1"
# A builder may give files one time stamp for all, which makes every time-stamped .pyc stale, Debian's too; and people,
# who cannot write them, would compile everything at every start.
for libraries in /opt/jupyter/lib /usr/lib/python3.*; do
    /opt/jupyter/bin/python -m compileall -q -f -j 0 --invalidation-mode unchecked-hash "$libraries" ||
        echo "some files of $libraries are not Python of this version, and stay as they are"
done
