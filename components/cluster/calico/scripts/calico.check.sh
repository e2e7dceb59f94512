if ! found=$(KUBECONFIG=/etc/kubernetes/admin.conf kubectl diff --server-side --force-conflicts \
    --field-manager=henhouse --kustomize="$DIRECTORY"); then
    echo "$(grep --count '^diff ' <<<"$found" || true) objects differ"
    exit 1
fi
