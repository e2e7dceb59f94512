found=$(resolvers)
if [ -z "$found" ]; then
    echo 'no resolver that a pod can reach'
    exit 1
fi
found=$(head --lines=1 "$RESOLV_CONF")
echo "${found:-no file}"
cmp --silent <(resolvers) "$RESOLV_CONF"
