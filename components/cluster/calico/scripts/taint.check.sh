found=$(KUBECONFIG=/etc/kubernetes/admin.conf kubectl --request-timeout=10s get node "$NODE" \
    --output=jsonpath="{.spec.taints[?(@.key=='$TAINT')].effect}")
echo "${found:-no taint}"
[ "$found" = "$EFFECT" ]
