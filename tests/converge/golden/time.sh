#!/usr/bin/env bash
# The role time of chick0: bash SCRIPT check|apply
# shellcheck disable=SC2016,SC2034,SC2154,SC2317,SC2329 # a role need not use all of the parts below
[ -n "${BASH_VERSION-}" ] || { echo 'henhouse: chick0: time: the login shell must be bash' >&2; exit 1; }
set -euo pipefail
verb=${1:-apply} machine=chick0 role=time
paths=(/etc/chrony/chrony.conf /etc/systemd/system/chrony.service.d/henhouse.conf)
units=(systemd-timesyncd.service ntpsec.service openntpd.service chrony.service)
declare -A restarts=(
  [/etc/chrony/chrony.conf]=chrony.service
  [/etc/systemd/system/chrony.service.d/henhouse.conf]=chrony.service
)

items() {
  unit systemd-timesyncd.service masked inactive
  unit ntpsec.service masked inactive
  unit openntpd.service masked inactive
  packages 'chrony * -'
  file /etc/chrony/chrony.conf 0644 root root 'server 198.18.0.2 iburst maxpoll 6
port 0
driftfile /var/lib/chrony/chrony.drift
ntsdumpdir /var/lib/chrony
leapseclist /usr/share/zoneinfo/leap-seconds.list
logdir /var/log/chrony
makestep 1 3
rtcsync
maxupdateskew 100.0
'
  file /etc/systemd/system/chrony.service.d/henhouse.conf 0644 root root '# A container may not set the clock, which is its host'"'"'s. chronyd then only watches and serves it (-x, chronyd(8)).
[Unit]
ConditionCapability=

[Service]
ExecStart=
ExecStart=!/bin/sh -c '"'"'\
  systemd-analyze condition ConditionCapability=CAP_SYS_TIME >/dev/null || clock=-x; \
  exec /usr/sbin/chronyd -F 1 $${clock-}'"'"'
'
  unit chrony.service enabled active
}

facts() {
  found_facts=
}

main
