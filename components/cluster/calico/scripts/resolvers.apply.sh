found=$(resolvers)
if [ -z "$found" ]; then
    echo "A pod can reach none of the resolvers that this machine's /etc/resolv.conf names. Name some that it can reach in" \
        'the settings: cluster.resolvers'
    exit 1
fi
printf '%s\n' "$found" >"$RESOLV_CONF.new"
chmod 0644 "$RESOLV_CONF.new"
mv "$RESOLV_CONF.new" "$RESOLV_CONF"
