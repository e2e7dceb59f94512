# foreign_owners LINK: who configures an interface beside systemd-networkd, each on a line.
foreign_owners() {
    local unit
    if systemctl is-active --quiet NetworkManager.service &&
        ! nmcli --get-values GENERAL.STATE device show "$1" | grep --quiet unmanaged; then
        echo 'NetworkManager'
    fi
    if systemctl is-enabled --quiet networking.service 2>/dev/null &&
        grep --recursive --quiet --no-messages --extended-regexp \
            "^[[:space:]]*iface[[:space:]]+$1[[:space:]]" /etc/network/interfaces /etc/network/interfaces.d; then
        echo 'ifupdown (/etc/network/interfaces)'
    fi
    for unit in dhcpcd connman; do
        if systemctl is-active --quiet "$unit.service"; then echo "$unit"; fi
    done
}
