# Marks of what this program has begun and finished on the machine. What is destroyed, is destroyed by a mark that is
# there: a file that is missing says nothing, for it may lie on a disk that is not mounted. All survive `kubeadm reset`.

# mark NAME TEXT: on the disk when it returns.
mark() {
    printf '%s\n' "$2" >"$MARKS/$1.new"
    sync "$MARKS/$1.new"
    mv "$MARKS/$1.new" "$MARKS/$1"
    sync "$MARKS"
}

# unmark NAME…
unmark() {
    local name
    for name in "$@"; do rm --force "$MARKS/$name"; done
    sync "$MARKS"
}

# marked NAME
marked() {
    [ -e "$MARKS/$1" ]
}
