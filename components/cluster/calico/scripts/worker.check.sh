# shellcheck disable=SC2086 # a list of names
found=$(KUBECONFIG=/etc/kubernetes/admin.conf kubectl --request-timeout=10s get nodes $NODES --ignore-not-found \
    --output=jsonpath='{..status.conditions[?(@.type=="Ready")].status}')
echo "Ready: ${found:-no node}"
[[ " $found " == *' True '* ]]
