#!/usr/bin/env bash
# The role swap-off of chick0: bash SCRIPT check|apply
# shellcheck disable=SC2016,SC2034,SC2154,SC2317,SC2329 # a role need not use all of the parts below
[ -n "${BASH_VERSION-}" ] || { echo 'henhouse: chick0: swap-off: the login shell must be bash' >&2; exit 1; }
set -euo pipefail
verb=${1:-apply} machine=chick0 role=swap-off
paths=(/etc/fstab)
units=(systemd-zram-setup@zram0.service swap.target)
declare -A restarts=(
)

check_4() {
mapfile -t found </proc/swaps; echo "${found[1]-}"; ((${#found[@]} <= 1))
}

apply_4() {
swapoff --all
}

items() {
  line comment /etc/fstab '^[^#]\S*\s+\S+\s+swap\s' ''
  unit systemd-zram-setup@zram0.service masked inactive
  unit swap.target masked inactive
  script 'no active swap' check_4 apply_4
}

facts() {
  found_facts=
  printf '{%s}\n' "$found_facts" >&3
}

main
