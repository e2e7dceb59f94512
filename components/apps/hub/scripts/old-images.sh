# OLD: images to be removed, one per line, as containerd names them: HOST/PATH:TAG or HOST/PATH@DIGEST.
# NAMES: these, further names that such an image may have, and their repositories, HOST/PATH.

# look: reads what containerd has. `images` is a line for each name, with the digest of what it stands for: an image has
# its names, those by digest, and the one that Kubernetes gives it, sha256:…; `used` are the digests of which there are
# containers, running or ended. Both are empty where there is no containerd yet.
look() {
    local listed
    images='' used=''
    if ! command -v ctr >/dev/null; then return; fi
    listed=$(ctr --namespace k8s.io images list) || return
    images=$(awk 'NR > 1 { print $1, $3 }' <<<"$listed")
    listed=$(ctr --namespace k8s.io containers list) || return
    used=$(awk 'NR == FNR { digest[$1] = $2; next } FNR > 1 { print digest[$2] }' <(echo "$images") <(echo "$listed"))
}

# has LINES LINE: the line is one of them.
has() { grep --quiet --line-regexp --fixed-strings -- "$2" <<<"$1"; }

# goes NAME: prints all names of the image to be removed; nothing where it is not there, a container uses it, or it has
# another name that is not to be removed.
goes() {
    local digest name all
    digest=$(awk -v name="$1" '$1 == name { print $2 }' <<<"$images")
    if [[ -z $digest ]] || has "$used" "$digest"; then return; fi
    all=$(awk -v digest="$digest" '$2 == digest { print $1 }' <<<"$images")
    while read -r name; do
        if [[ $name != sha256:* ]] && ! has "$NAMES" "${name%@"$digest"}"; then return; fi
    done <<<"$all"
    echo "$all"
}

# to_remove: prints all names of all images to be removed.
to_remove() {
    local image
    while read -r image; do goes "$image"; done <<<"$OLD" | sort --unique
}
