if [ -s /etc/kubernetes/kubelet.conf ]; then
    # It has joined before; a kubelet that starts registers its node again.
    systemctl restart kubelet.service
else
    if [ -e /etc/kubernetes/bootstrap-kubelet.conf ] || [ -e /etc/kubernetes/pki/ca.crt ]; then
        # An attempt that was cut short. A worker keeps no data of the cluster's.
        kubeadm reset --force --cri-socket="$CRI_SOCKET"
    fi
    token=$(secret token)
    ca_hash=$(secret ca_hash)
    # shellcheck disable=SC2153 # the role sets it
    config=$(<"$CONFIG")
    config=${config//"$TOKEN_PLACEHOLDER"/"$token"}
    config=${config//"$CA_HASH_PLACEHOLDER"/"$ca_hash"}
    if ! printf '%s\n' "$config" | kubeadm join --config=/dev/stdin; then
        echo "If the token of $NODE has expired (it lasts a day), let the program look at the machines, and it makes a" \
            'new one: HENHOUSE_PROBE=1 pulumi up'
        exit 1
    fi
fi
deadline=$((SECONDS + 180))
until KUBECONFIG=/etc/kubernetes/kubelet.conf kubectl --request-timeout=10s get node "$NODE"; do
    if ((SECONDS > deadline)); then
        echo "$NODE did not register with the API server in 3 minutes. Look at: journalctl --unit=kubelet. If the" \
            'machine was a node of another cluster, run on it: kubeadm reset'
        exit 1
    fi
    sleep 1
done
