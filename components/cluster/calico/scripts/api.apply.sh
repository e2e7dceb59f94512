deadline=$((SECONDS + 180))
until KUBECONFIG=/etc/kubernetes/admin.conf kubectl --request-timeout=10s get --raw=/readyz; do
    if ((SECONDS > deadline)); then
        echo 'The API server did not get ready in 3 minutes. Look at: journalctl --unit=kubelet; crictl ps --all'
        exit 1
    fi
    sleep 1
done
