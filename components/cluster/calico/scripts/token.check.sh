# Only a machine that is not a node yet needs a token.
lasts_an_hour() {
    local end
    end=$(KUBECONFIG=/etc/kubernetes/admin.conf kubectl --request-timeout=10s --namespace=kube-system \
        get secret "bootstrap-token-$TOKEN_ID" --output=go-template='{{index .data "expiration" | base64decode}}')
    (($(date --date="$end" +%s) > $(date +%s) + 3600))
}

if ! KUBECONFIG=/etc/kubernetes/admin.conf kubectl --request-timeout=10s get node "$NODE" >/dev/null; then
    lasts_an_hour
fi
