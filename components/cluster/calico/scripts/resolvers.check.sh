found=$(head --lines=1 "$RESOLV_CONF")
echo "${found:-no file}"
cmp --silent <(resolvers) "$RESOLV_CONF"
