if ! whole >/dev/null; then exit 1; fi
if ! marked made || marked begun; then
    echo 'it is not marked as made'
    exit 1
fi
if ! same; then
    echo 'another cluster than the one that was made'
    exit 1
fi
