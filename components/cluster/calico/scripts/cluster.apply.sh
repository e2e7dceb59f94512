# The authority and etcd's data are the cluster. Neither is ever made in the place of one that was there: what is not
# clear is refused. `begun` says that our own kubeadm init has not finished, `made` that there is a cluster, and which,
# and `begin-again` is a person's word.
finished() {
    local found
    found=$(identity)
    mark made "$found since $(date --utc --iso-8601=seconds)"
    unmark begun begin-again
}

holds_files() {
    [ -n "$(find "$1" -mindepth 1 -print -quit 2>/dev/null)" ]
}

authority_is_whole() {
    local file
    for file in ca.crt ca.key sa.key etcd/ca.crt etcd/ca.key; do
        if ! [ -s "/etc/kubernetes/pki/$file" ]; then return 1; fi
    done
}

waits_for_a_disk() {
    [ "$(systemctl show --property=LoadState --value var-lib-etcd.mount)" = loaded ] && ! mountpoint --quiet /var/lib/etcd
}

# refuse TEXT: names all that was found, and the two ways on.
refuse() {
    local evidence=()
    if marked made; then evidence+=("$MARKS/made of $(<"$MARKS/made")"); fi
    if [ "${applied_before-}" = yes ]; then evidence+=("the stack's state, in which this machine has made its cluster"); fi
    if holds_files /etc/kubernetes/pki; then evidence+=(/etc/kubernetes/pki); fi
    if holds_files /var/lib/etcd; then evidence+=(/var/lib/etcd); fi
    echo "$1 This looks like a restore in progress, a disk that is not mounted, or a machine that was reinstalled." \
        "Nothing was changed."
    if ((${#evidence[@]})); then echo "Found: $(printf '%s; ' "${evidence[@]}")"; fi
    echo "To have the cluster back: put /etc/kubernetes/pki and /var/lib/etcd (with member/ in it) back, or mount" \
        'them, then run again: pulumi up'
    echo 'To begin again with an empty cluster, without any of its objects and nodes (docs/reinstall.md):' \
        "kubeadm reset --force && touch $MARKS/begin-again"
    exit 1
}

ours() {
    marked begun && ! marked made
}

init() {
    kubeadm init --config="$CONFIG" --skip-token-print --ignore-preflight-errors="${1-}"
    whole
}

if whole; then
    if ! same && ! marked begin-again; then refuse "Another cluster runs here than the one that was made."; fi
    finished
    exit 0
fi
if waits_for_a_disk; then
    refuse 'The disk that is to be mounted on /var/lib/etcd is not.'
fi
if [ -d /var/lib/etcd/member ]; then
    # kubeadm would make another authority, and the data would belong to a cluster that no other machine knows.
    if ! authority_is_whole; then refuse 'There are data of etcd, and the authority in /etc/kubernetes/pki is not whole.'; fi
    # etcd has begun to keep data, and nothing of it is ever thrown away. An API server that is only starting is given
    # time. After that the phases of kubeadm run again: each takes what it finds, and adds what is missing.
    systemctl start kubelet.service || true
    deadline=$((SECONDS + 90))
    until asked get --raw=/readyz || ((SECONDS > deadline)); do sleep 2; done
    leftovers=DirAvailable--var-lib-etcd,Port-6443,Port-10250,Port-10257,Port-10259,Port-2379,Port-2380
    for pod in etcd kube-apiserver kube-controller-manager kube-scheduler; do
        leftovers+=,FileAvailable--etc-kubernetes-manifests-$pod.yaml
    done
    if ! ours; then
        # A kubelet that starts without the disk lets etcd begin with no data. Only what lies on this machine is put back before
        # it is known whose data these are.
        if ! asked get --raw=/readyz; then
            kubeadm init --config="$CONFIG" --skip-token-print --ignore-preflight-errors="$leftovers" \
                --skip-phases=upload-config,upload-certs,mark-control-plane,bootstrap-token,addon
        fi
        if ! same; then refuse "The data of etcd are not those of the cluster that was made here: etcd has started with no data."; fi
    fi
    whole || init "$leftovers"
elif holds_files /var/lib/etcd; then
    refuse "There are files in /var/lib/etcd, and no data of etcd's."
elif ours; then
    # Our own attempt, cut short before there was any data. Its files may be cut short as well.
    kubeadm reset --force --cri-socket="$CRI_SOCKET"
    init
elif holds_files /etc/kubernetes/pki; then
    refuse "There is an authority in /etc/kubernetes/pki, and /var/lib/etcd is empty."
elif { marked made || [ "${applied_before-}" = yes ]; } && ! marked begin-again; then
    refuse "This machine has made the site's cluster before, and nothing of it is here."
else
    mark begun "$(date --utc --iso-8601=seconds)"
    unmark made
    init
fi
finished
