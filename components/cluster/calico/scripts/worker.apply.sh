export KUBECONFIG=/etc/kubernetes/admin.conf
one_is_ready() {
    local found
    # shellcheck disable=SC2086 # a list of names
    found=$(kubectl --request-timeout=10s get nodes $NODES --ignore-not-found \
        --output=jsonpath='{..status.conditions[?(@.type=="Ready")].status}')
    [[ " $found " == *' True '* ]]
}
# Meanwhile the other roles of this machine continue: one of them admits the worker that is waited for.
flock --unlock 9
deadline=$((SECONDS + 840))
until one_is_ready; do
    if ((SECONDS > deadline)); then
        echo "None of these became ready in 14 minutes, so the hub's pods could not start: $NODES"
        kubectl get nodes --output=wide
        exit 1
    fi
    sleep 2
done
flock --timeout 900 9
