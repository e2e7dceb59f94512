#!/usr/bin/env bash
# Makes .venv from uv.lock. Needs Debian with root for what is missing (python3-venv, make comes with the caller); can be repeated.
set -euo pipefail
cd "$(dirname "$0")/.."

uv_version=$(sed -n 's/^uv = "\(.*\)".*/\1/p' versions.toml)
cache=${HENHOUSE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/henhouse}
uv=$cache/uv-$uv_version/bin/uv

# In a rack's network nothing can be downloaded: only what is complete already is of use there.
for namespace in /run/netns/henhouse-*; do
    if [[ $namespace -ef /proc/self/ns/net ]]; then
        if [[ -x $uv ]] && "$uv" sync --frozen --quiet --offline 2>/dev/null; then
            exit
        fi
        echo "setup: .venv is not complete, and the rack's network leads nowhere: run \`make setup\` outside it (leave" \
            "\`make shell\` first)" >&2
        exit 1
    fi
done

if [[ ! -x $uv ]]; then
    if ! python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        if ((EUID != 0)); then
            echo "setup: python3-venv is missing, and only root can install it: apt-get install python3-venv" >&2
            exit 1
        fi
        echo "setup: installing python3-venv" >&2
        export DEBIAN_FRONTEND=noninteractive
        # apt itself does not wait for the lock of the package lists, and a new machine updates them by itself at first.
        if command -v python3 >/dev/null; then
            python3 -c 'import fcntl; fcntl.lockf(open("/var/lib/apt/lists/lock", "w"), fcntl.LOCK_EX)'
        fi
        dpkg --configure --pending >/dev/null
        apt-get -qq -o DPkg::Lock::Timeout=900 update
        apt-get -y -qq -o DPkg::Lock::Timeout=900 install --no-install-recommends python3 python3-venv >/dev/null
    fi
    echo "setup: installing uv $uv_version" >&2
    rm -rf "$cache/.uv.unfinished"
    python3 -m venv "$cache/.uv.unfinished"
    "$cache/.uv.unfinished/bin/pip" install --quiet --disable-pip-version-check "uv==$uv_version"
    mv -T "$cache/.uv.unfinished" "$cache/uv-$uv_version"
fi
exec "$uv" sync --frozen --quiet --compile-bytecode
