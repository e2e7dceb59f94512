#!/bin/sh
# load DIRECTORY: of henhouse's files, systemd-networkd has those in the directory and no others. Without the argument, or
# the directory, it has none. Run by a role, by the timer that takes a role's change back, and at boot.
#
# They are in /run: a boot in the middle of a change finds nothing of it, and brings what was kept.
set -u
live=/run/systemd/network
from=${1:-/nonexistent}
mkdir -p "$live"
# networkd makes a device, and never makes it otherwise afterwards; what was on it went with it. Only a start makes all
# of them again.
how='networkctl reload'
for old in "$live"/04-henhouse-*.netdev; do
  if [ -e "$old" ] && ! cmp -s "$old" "$from/${old##*/}"; then
    device=${old##*/04-henhouse-}
    ip link delete "${device%.netdev}" 2>/dev/null || true
    how='systemctl restart systemd-networkd.service'
  fi
done
rm -f "$live"/04-henhouse-*
if [ -d "$from" ]; then
  cp "$from"/04-henhouse-* "$live"/
  chmod 0644 "$live"/04-henhouse-*
fi
basename "$(readlink -f "$from")" >/run/henhouse-interfaces.loaded
if systemctl is-active --quiet systemd-networkd.service; then
  $how
fi
