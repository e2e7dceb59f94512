KUBECONFIG=/etc/kubernetes/admin.conf kubectl apply --server-side --force-conflicts --field-manager=henhouse \
    --kustomize="$DIRECTORY"
