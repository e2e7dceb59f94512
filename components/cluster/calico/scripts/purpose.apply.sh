# A kubelet may label its own node, outside the kubernetes.io names (NodeRestriction).
KUBECONFIG=/etc/kubernetes/kubelet.conf kubectl label node "$NODE" --overwrite \
    "hub.jupyter.org/node-purpose${PURPOSE:+=}${PURPOSE:--}"
