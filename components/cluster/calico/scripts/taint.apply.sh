KUBECONFIG=/etc/kubernetes/admin.conf kubectl taint node "$NODE" --overwrite "$TAINT${EFFECT:+=:}${EFFECT:--}"
