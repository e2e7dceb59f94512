#!/bin/sh
# apt-install LIST...: installs the Debian packages that the files name, one a line, without recommended ones.
# With SNAPSHOT, a time such as 20261120T000000Z, they are those of that time: https://snapshot.debian.org.
set -eu
export DEBIAN_FRONTEND=noninteractive
if [ -n "${SNAPSHOT:-}" ]; then
    suite=$(sed --quiet 's/^VERSION_CODENAME=//p' /etc/os-release)
    rm -f /etc/apt/sources.list.d/*
    for archive in debian:"$suite" debian:"$suite"-updates debian-security:"$suite"-security; do
        # Debian signs what it has, and its signatures of that time have ended.
        echo "deb [check-valid-until=no] http://snapshot.debian.org/archive/${archive%%:*}/$SNAPSHOT ${archive#*:} main"
    done >/etc/apt/sources.list
fi
packages=$(sed 's/#.*//' "$@")
apt-get update --quiet
echo "$packages" | xargs apt-get install --quiet --yes --no-install-recommends
apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/*
