export KUBECONFIG=/etc/kubernetes/admin.conf
if ! kubectl --namespace=kube-system wait "deployment/$DEPLOYMENT" --for=condition=Available --timeout=10m; then
    echo "$DEPLOYMENT is not available:"
    kubectl --namespace=kube-system get pods --output=wide
    exit 1
fi
