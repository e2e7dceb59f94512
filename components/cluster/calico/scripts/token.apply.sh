if [ "$(state_of_node)" = another ]; then
    # This also removes its pods, which no kubelet can end any more.
    KUBECONFIG=/etc/kubernetes/admin.conf kubectl delete node "$NODE" --timeout=2m
fi
# The form of the Secret: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
token=$(kubeadm token generate)
KUBECONFIG=/etc/kubernetes/admin.conf kubectl apply --server-side --force-conflicts --filename=- <<END
apiVersion: v1
kind: Secret
metadata:
  name: bootstrap-token-$TOKEN_ID
  namespace: kube-system
type: bootstrap.kubernetes.io/token
stringData:
  token-id: "$TOKEN_ID"
  token-secret: "${token#*.}"
  description: "for $NODE to join"
  expiration: "$(date --utc --date='+24 hours' +%Y-%m-%dT%H:%M:%SZ)"
  usage-bootstrap-authentication: "true"
  usage-bootstrap-signing: "true"
  auth-extra-groups: system:bootstrappers:kubeadm:default-node-token
END
