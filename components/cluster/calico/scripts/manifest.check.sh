echo "$SHA256  $MANIFEST" | sha256sum --check --status
