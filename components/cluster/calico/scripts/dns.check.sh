if ! found=$(KUBECONFIG=/etc/kubernetes/admin.conf kubectl diff --server-side --force-conflicts \
    --field-manager=henhouse-dns --filename="$MANIFEST"); then
    echo "CoreDNS is placed otherwise$(grep --quiet '^diff ' <<<"$found" || echo ', or its placement could not be read')"
    exit 1
fi
