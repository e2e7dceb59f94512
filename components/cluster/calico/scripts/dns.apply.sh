# The Deployment is kubeadm's. Ours are the fields that it leaves open; `kubeadm upgrade` rewrites the whole of it.
export KUBECONFIG=/etc/kubernetes/admin.conf
kubectl apply --server-side --force-conflicts --field-manager=henhouse-dns --filename="$MANIFEST"
# One pod answers at any time: Kubernetes replaces them one by one (maxUnavailable: 1 of 2).
if ! kubectl --namespace=kube-system rollout status deployment/coredns --timeout=5m; then
    kubectl --namespace=kube-system get pods --selector=k8s-app=kube-dns --output=wide
    exit 1
fi
