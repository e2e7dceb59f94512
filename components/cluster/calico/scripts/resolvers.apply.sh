resolvers >"$RESOLV_CONF.new"
chmod 0644 "$RESOLV_CONF.new"
mv "$RESOLV_CONF.new" "$RESOLV_CONF"
