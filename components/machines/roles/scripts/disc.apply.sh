# The installer's disc is not in the drive any more, and without it apt-get update fails.
discs | cut --delimiter=: --fields=1,2 | while IFS=: read -r path line; do
  sed --in-place "${line}s/^/# /" "$path"
done
