if ! has_headers; then
  echo "no headers of the running kernel, $KERNEL"
  exit 1
fi
follows
