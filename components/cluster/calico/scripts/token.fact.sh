KUBECONFIG=/etc/kubernetes/admin.conf kubectl --namespace=kube-system get secret "bootstrap-token-$TOKEN_ID" \
    --ignore-not-found \
    --output=go-template='{{index .data "token-id" | base64decode}}.{{index .data "token-secret" | base64decode}}'
