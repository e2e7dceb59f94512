export KUBECONFIG=/etc/kubernetes/kubelet.conf
if ! kubectl wait "node/$NODE" --for=condition=Ready --timeout=10m ||
    ! kubectl wait "node/$NODE" --for=condition=NetworkUnavailable=false --timeout=10m; then
    echo "$NODE is not ready for pods:"
    kubectl get node "$NODE" --output=jsonpath='{range .status.conditions[*]}{.type}={.status} {.message}{"\n"}{end}'
    kubectl get pods --all-namespaces --field-selector="spec.nodeName=$NODE"
    exit 1
fi
