# The resolvers that the settings name; otherwise the machine's own, at most the three that the C library takes. One that
# a pod cannot reach is skipped: on loopback (0.0.0.0 and :: mean it, too), where CoreDNS would find itself behind it
# (https://coredns.io/plugins/loop/#troubleshooting), or in the scope of one interface of the machine (fe80::…%eth0).
# systemd-resolved keeps the real ones in a file of its own.
resolvers() {
    local files=() file
    if [ -n "$RESOLVERS" ]; then
        # shellcheck disable=SC2086 # several, with blanks between them
        printf 'nameserver %s\n' $RESOLVERS
        return
    fi
    for file in /run/systemd/resolve/resolv.conf /etc/resolv.conf; do
        if [ -r "$file" ]; then files+=("$file"); fi
    done
    awk '$1 == "nameserver" && tolower($2) !~ /^(127\.|0\.0\.0\.0$|::1?$|::ffff:127\.|fe[89ab].:|fe[89ab]:)|%/ &&
        !seen[$2]++ && ++count <= 3 { print $1, $2 }' /dev/null "${files[@]}"
}
