whole() {
    KUBECONFIG=/etc/kubernetes/admin.conf kubectl --request-timeout=10s --namespace=kube-system \
        get configmap/kubeadm-config daemonset/kube-proxy deployment/coredns
}

leftovers=
if [ -d /var/lib/etcd/member ]; then
    # etcd has begun to keep data, and nothing of it is ever thrown away. An API server that is only starting is given
    # time. After that the phases of kubeadm run again: each takes what it finds, and adds what is missing.
    systemctl start kubelet.service || true
    deadline=$((SECONDS + 90))
    until whole || ((SECONDS > deadline)); do sleep 2; done
    leftovers=DirAvailable--var-lib-etcd,Port-6443,Port-10250,Port-10257,Port-10259,Port-2379,Port-2380
    for pod in etcd kube-apiserver kube-controller-manager kube-scheduler; do
        leftovers+=,FileAvailable--etc-kubernetes-manifests-$pod.yaml
    done
elif [ -e /etc/kubernetes/pki ]; then
    # An attempt that was cut short before there was any data. Its files may be cut short as well.
    kubeadm reset --force --cri-socket="$CRI_SOCKET"
fi
if ! whole; then
    kubeadm init --config="$CONFIG" --skip-token-print --ignore-preflight-errors="$leftovers"
fi
