if ! found=$(KUBECONFIG=/etc/kubernetes/admin.conf kubectl diff --server-side --force-conflicts \
    --field-manager=henhouse-dns --filename="$MANIFEST"); then
    echo "CoreDNS is placed otherwise$(grep --quiet '^diff ' <<<"$found" || echo ', or could not be asked about')"
    exit 1
fi
