# Other programs that write a packet filter. A packet has to be accepted by all filters, so theirs would shut ports that
# the rooms have opened. Debian's nftables.service is none of them: it loads what a person wrote, and ours after it.
other_filters() {
    local unit
    for unit in ufw firewalld netfilter-persistent shorewall shorewall6 ferm; do
        if ! systemctl is-enabled --quiet "$unit.service" 2>/dev/null &&
            ! systemctl is-active --quiet "$unit.service" 2>/dev/null; then
            continue
        fi
        case $unit in
            # Enabled with its package; it does nothing before a person says `ufw enable`, or saves rules.
            ufw) grep --quiet --ignore-case '^ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null || continue ;;
            netfilter-persistent) grep --quiet --no-messages '^-A\|DROP' /etc/iptables/rules.v[46] || continue ;;
        esac
        echo "$unit.service"
    done
}
