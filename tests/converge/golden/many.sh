#!/usr/bin/env bash
# The role many of chick0: bash SCRIPT check|apply
# shellcheck disable=SC2016,SC2034,SC2154,SC2317,SC2329 # a role need not use all of the parts below
[ -n "${BASH_VERSION-}" ] || { echo 'henhouse: chick0: many: the login shell must be bash' >&2; exit 1; }
set -euo pipefail
verb=${1:-apply} machine=chick0 role=many
paths=(/etc/fstab /etc/hosts '/etc/it'"'"'s.conf' /etc/key /etc/modules-load.d/90-henhouse-many.conf /etc/sysctl.d/90-henhouse-many.conf /etc/sysctl.d/zz-henhouse-many.conf /srv/x /srv/y)
units=(chrony.service kubelet.service)
declare -A restarts=(
  ['/etc/it'"'"'s.conf']=chrony.service
  [/etc/key]='chrony.service kubelet.service'
)

validate_1() {
test -s "$NEW"
}

check_9() {
true
}

apply_9() {
cat <<'END'
no indent
END
}

fact_1() {
cat /etc/machine-id
}

items() {
  packages 'chrony * -' 'kubelet 1.36.3-* held'
  file '/etc/it'"'"'s.conf' 0644 root root 'quotes: '"'"' " ` $x
' validate_1
  secret_file /etc/key 0600 chrony chrony key
  file /etc/modules-load.d/90-henhouse-many.conf 0644 root root 'overlay
'
  module overlay
  absent /etc/sysctl.d/90-henhouse-many.conf
  file /etc/sysctl.d/zz-henhouse-many.conf 0644 root root 'net.ipv4.ip_forward = 1
net/ipv4/conf/eth0.1/rp_filter = 0 0
'
  sysctl net.ipv4.ip_forward /proc/sys/net/ipv4/ip_forward 1
  sysctl net/ipv4/conf/eth0.1/rp_filter /proc/sys/net/ipv4/conf/eth0.1/rp_filter '0 0'
  unit chrony.service enabled active
  unit kubelet.service enabled inactive reload
  directory /srv/x 0755 root root
  absent /srv/y
  line comment /etc/fstab ' swap ' ''
  block /etc/hosts '10.0.0.1 a
'
  script 'all is well' check_9 apply_9
  packages 'socat * -'
}

facts() {
  found_facts=
  fact machine_id fact_1 lasting
}

main
