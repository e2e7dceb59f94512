curl --fail --silent --show-error --location --retry 5 --retry-connrefused --output "$MANIFEST.new" "$URL"
found=$(sha256sum "$MANIFEST.new" | cut --delimiter=' ' --fields=1)
if [ "$found" != "$SHA256" ]; then
    rm "$MANIFEST.new"
    echo "cluster.calico.manifest: $URL has the digest $found, not $SHA256. If this file is the one that is meant," \
        "write under cluster.calico: manifest_sha256: $found"
    exit 1
fi
mv "$MANIFEST.new" "$MANIFEST"
