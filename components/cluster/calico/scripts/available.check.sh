found=$(KUBECONFIG=/etc/kubernetes/admin.conf kubectl --request-timeout=10s --namespace=kube-system \
    get deployment "$DEPLOYMENT" --output=jsonpath='{.status.conditions[?(@.type=="Available")].status}')
echo "Available: ${found:-no condition}"
[ "$found" = True ]
