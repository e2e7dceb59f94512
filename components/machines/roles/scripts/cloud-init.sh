# What cloud-init wrote of the network stays when cloud-init is switched off: its files are netplan's, ifupdown's,
# systemd-networkd's or NetworkManager's, and those read them at boot. A machine that has no such file, and whose image
# or kernel command line brings cloud-init, would be without a network after the next boot.
network_files() {
    # Where one of the places does not exist, grep fails after it has looked at the others.
    { grep --recursive --no-messages --extended-regexp '^[[:space:]]*(iface[[:space:]]|\[Match\]|\[connection\]|network:)' \
        "$ROOT"/etc/network/interfaces "$ROOT"/etc/network/interfaces.d "$ROOT"/etc/systemd/network "$ROOT"/etc/netplan \
        "$ROOT"/etc/NetworkManager/system-connections || true; } |
        grep --invert-match --extended-regexp '/00-henhouse-|iface[[:space:]]+lo[[:space:]]' || true
}

# cloud_init_rules: says why cloud-init would still have the last word, or why it cannot be switched off.
cloud_init_rules() {
    local words
    if [[ ! -e $ROOT/usr/bin/cloud-init ]]; then
        return
    fi
    read -ra words <"$ROOT/proc/cmdline"
    if [[ " ${words[*]} " == *' cloud-init=enabled '* ]]; then
        echo "the kernel's command line says cloud-init=enabled, which counts more than cloud-init.disabled: remove the" \
            'word from GRUB_CMDLINE_LINUX in /etc/default/grub and run update-grub'
    elif [[ -z $(network_files) && ! -e $ROOT/etc/cloud/cloud-init.disabled ]]; then
        echo 'cloud-init alone configures the network, and no file in /etc would do so without it: write the' \
            "interface into /etc/systemd/network or /etc/network/interfaces, so that it outlives cloud-init"
    fi
}
