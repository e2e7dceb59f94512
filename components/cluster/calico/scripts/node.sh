# state_of_node: what the API server knows of the machine's Node, beside what the machine answers:
#   missing   there is none
#   alive     its kubelet answers
#   another   it belongs to an earlier installation of the machine, whose kubelet is gone
#   silent    it is this installation's; the machine answers, its kubelet does not: it may have left the cluster
#   off       the machine does not answer, so nothing can be done
state_of_node() {
    local found machine_id connects
    # shellcheck disable=SC2016 # for the other bash
    connects='exec 3<>"/dev/tcp/$0/$1"'
    machine_id=$(secret machine_id)
    found=$(KUBECONFIG=/etc/kubernetes/admin.conf kubectl --request-timeout=10s get node "$NODE" --ignore-not-found \
        --output=jsonpath='{.metadata.name} {.status.nodeInfo.machineID}')
    if [ -z "$found" ]; then
        echo missing
    elif KUBECONFIG=/etc/kubernetes/admin.conf kubectl --request-timeout=10s \
        get --raw "/api/v1/nodes/$NODE/proxy/healthz" >/dev/null; then
        echo alive
    elif [[ $machine_id =~ ^[0-9a-f]{32}$ && $found == "$NODE "?* && $found != "$NODE $machine_id" ]]; then
        echo another
    elif timeout 5 bash -c "$connects" "$ADDRESS" "$SSH_PORT"; then
        echo silent
    else
        echo off
    fi
}
