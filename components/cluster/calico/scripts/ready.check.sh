# Calico withdraws NetworkUnavailable once the node's routes are in place.
condition() {
    KUBECONFIG=/etc/kubernetes/kubelet.conf kubectl --request-timeout=10s get node "$NODE" \
        --output=jsonpath="{.status.conditions[?(@.type=='$1')].status}"
}
found="Ready $(condition Ready), NetworkUnavailable $(condition NetworkUnavailable)"
echo "$found"
[ "$found" = 'Ready True, NetworkUnavailable False' ]
