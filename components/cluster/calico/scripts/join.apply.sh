# By the digest by which kubeadm pins it.
authority_here() {
    openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | sha256sum |
        sed 's/^\([0-9a-f]*\) .*/sha256:\1/'
}

leftovers=()
for file in bootstrap-kubelet.conf pki/ca.crt; do
    if [ -e "/etc/kubernetes/$file" ]; then leftovers+=("/etc/kubernetes/$file"); fi
done
if [ -s /etc/kubernetes/kubelet.conf ]; then
    if [ -s /etc/kubernetes/pki/ca.crt ] && [ "$(authority_here)" != "$(secret ca_hash)" ]; then
        echo "$NODE is a node of another cluster: /etc/kubernetes/pki/ca.crt is not the authority of this one. Nothing" \
            'was changed. If nothing of the other cluster is needed on this machine: kubeadm reset --force'
        exit 1
    fi
    # It has joined before; a kubelet that starts registers its node again.
    unmark joining
    systemctl restart kubelet.service
else
    if ((${#leftovers[@]})); then
        if ! marked joining; then
            echo "There are ${leftovers[*]}, and no /etc/kubernetes/kubelet.conf; no join of this program was cut short" \
                'here. This looks like a restore in progress, or like a file that was lost. Nothing was changed.'
            echo "To have the node back: put /etc/kubernetes/kubelet.conf back and run \`pulumi up\` again. To let it" \
                'join again, which ends the pods that run on it: kubeadm reset --force'
            exit 1
        fi
        # Our own attempt, cut short before the kubelet had an identity: no pod can have run.
        kubeadm reset --force --cri-socket="$CRI_SOCKET"
    fi
    token=$(secret token)
    ca_hash=$(secret ca_hash)
    # shellcheck disable=SC2153 # the role sets it
    config=$(<"$CONFIG")
    config=${config//"$TOKEN_PLACEHOLDER"/"$token"}
    config=${config//"$CA_HASH_PLACEHOLDER"/"$ca_hash"}
    mark joining "$(date --utc --iso-8601=seconds)"
    if ! printf '%s\n' "$config" | kubeadm join --config=/dev/stdin; then
        echo "If the token of $NODE has expired (it lasts a day), let the program look at the machines, and it makes a" \
            'new one: HENHOUSE_PROBE=1 pulumi up'
        exit 1
    fi
    unmark joining
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
