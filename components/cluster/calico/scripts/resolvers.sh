# The machine's own resolvers, at most the three that the C library takes; the gateway where there is none. One on
# loopback is skipped: a pod cannot reach it, and CoreDNS would find itself behind it
# (https://coredns.io/plugins/loop/#troubleshooting). systemd-resolved keeps the real ones in a file of its own.
resolvers() {
    local files=() file found
    for file in /run/systemd/resolve/resolv.conf /etc/resolv.conf; do
        if [ -r "$file" ]; then files+=("$file"); fi
    done
    found=$(awk '$1 == "nameserver" && $2 !~ /^(127\.|::1$)/ && !seen[$2]++ && ++count <= 3 { print $1, $2 }' \
        /dev/null "${files[@]}")
    echo "${found:-nameserver $GATEWAY}"
}
