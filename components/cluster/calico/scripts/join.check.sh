if marked joining; then
    echo 'its join was cut short'
    exit 1
fi
KUBECONFIG=/etc/kubernetes/kubelet.conf kubectl --request-timeout=10s get node "$NODE" >/dev/null
