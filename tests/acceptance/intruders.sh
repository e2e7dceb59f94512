#!/usr/bin/env bash
# What an image, a package or a hardening guide may bring onto a machine. test_intruders.py runs it on every machine of the
# virtual rack and cuts the power (docs/boot.md says what is to become of each).
set -euo pipefail

# unit NAME COMMAND: a oneshot in the boot.
unit() {
    printf '%s\n' '[Unit]' 'DefaultDependencies=no' 'After=local-fs.target' 'Before=network.target' \
        '[Service]' 'Type=oneshot' "ExecStart=$2" '[Install]' 'WantedBy=multi-user.target' >"/etc/systemd/system/$1.service"
    systemctl enable --quiet "$1.service"
}

# Swap: by a unit of the site's own, and by a swap unit that swap.target does not pull in.
for file in /s /t; do
    if [[ ! -e $file ]]; then
        dd if=/dev/zero of="$file" bs=1M count=64 status=none
        chmod 600 "$file"
        mkswap "$file" >/dev/null
    fi
done
unit fill '/sbin/swapon /s'
printf '%s\n' '[Swap]' 'What=/t' '[Install]' 'WantedBy=multi-user.target' >/etc/systemd/system/t.swap
systemctl enable --quiet t.swap

# /etc/hosts rewritten, as cloud-init does with manage_etc_hosts.
unit rewrite "/bin/sh -c 'printf \"127.0.0.1 localhost\\\\n127.0.1.1 localhost\\\\n\" >/etc/hosts'"

# A packet filter that begins by flushing everything.
printf '%s\n' '#!/usr/sbin/nft -f' 'flush ruleset' >/etc/nftables.conf
systemctl enable --quiet nftables.service

# A hardening guide, and reboots at night.
echo 'net.ipv4.ip_forward = 0' >/etc/sysctl.d/99-hardening.conf
echo 'Unattended-Upgrade::Automatic-Reboot "true";' >/etc/apt/apt.conf.d/52reboot
sync
