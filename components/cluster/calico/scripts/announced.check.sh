found=$(KUBECONFIG=/etc/kubernetes/admin.conf kubectl --request-timeout=10s get node "$NODE" \
    --output=jsonpath='{.metadata.labels.node\.kubernetes\.io/exclude-from-external-load-balancers}')
echo "exclude-from-external-load-balancers=$found"
[ "$found" = "$EXCLUDED" ]
