KUBECONFIG=/etc/kubernetes/admin.conf kubectl --request-timeout=10s get --raw=/readyz >/dev/null
