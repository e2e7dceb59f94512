found=$(KUBECONFIG=/etc/kubernetes/kubelet.conf kubectl --request-timeout=10s get node "$NODE" \
    --output=jsonpath='{.metadata.labels.hub\.jupyter\.org/node-purpose}')
echo "${found:-no label}"
[ "$found" = "$PURPOSE" ]
