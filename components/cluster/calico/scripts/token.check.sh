# Only a machine that is not a node needs a token: one that is new, was reinstalled, or has left the cluster.
lasts_an_hour() {
    local end
    end=$(KUBECONFIG=/etc/kubernetes/admin.conf kubectl --request-timeout=10s --namespace=kube-system \
        get secret "bootstrap-token-$TOKEN_ID" --output=go-template='{{index .data "expiration" | base64decode}}')
    (($(date --date="$end" +%s) > $(date +%s) + 3600))
}

state=$(state_of_node)
case $state in
    alive | off) exit 0 ;;
    missing) echo 'it is not a node, and has no token' ;;
    silent) echo 'its kubelet does not answer, and it has no token' ;;
    *)
        echo 'its node is that of an earlier installation'
        exit 1
        ;;
esac
lasts_an_hour
