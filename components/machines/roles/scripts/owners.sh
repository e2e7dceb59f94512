# Who configures the interface that has the machine's address. Two owners take turns at boot, and the last one wins.
interface() {
    ip -oneline -4 address show to "$ADDRESS" | awk '!found++ { sub(/@.*/, "", $2); print $2 }'
}

owners() {
    local link=$1 file
    # systemd-networkd says where it keeps a link's state, and what it makes of the link.
    file=/run/systemd/netif/links/$(<"/sys/class/net/$link/ifindex")
    if systemctl is-active --quiet systemd-networkd.service && [[ -r $file ]] &&
        ! grep --quiet '^ADMIN_STATE=unmanaged' "$file"; then
        echo 'systemd-networkd'
    fi
    foreign_owners "$link"
}

# all_owners: on one line, when there are several.
all_owners() {
    local link
    local -a of=()
    link=$(interface)
    if [[ -z $link ]]; then
        return
    fi
    mapfile -t of < <(owners "$link")
    if ((${#of[@]} > 1)); then
        printf '%s is configured by %s' "$link" "${of[0]}"
        printf ' and by %s' "${of[@]:1}"
        echo
    fi
}
