KUBECONFIG=/etc/kubernetes/admin.conf kubectl label node "$NODE" --overwrite \
    "node.kubernetes.io/exclude-from-external-load-balancers=$EXCLUDED"
