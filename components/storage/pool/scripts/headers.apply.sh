install=(apt_get --yes --no-install-recommends install)
if ! follows; then
  "${install[@]}" "linux-headers-$FLAVOUR"
fi
if ! has_headers && ! "${install[@]}" "linux-headers-$KERNEL"; then
  apt_get update
  if ! "${install[@]}" "linux-headers-$KERNEL"; then
    newest=$(apt-cache depends --important "linux-image-$FLAVOUR" | sed --quiet 's/^ *Depends: *linux-image-//p')
    say "$(uname --nodename) runs the kernel $KERNEL, whose headers no source has any more. Install the kernel that they have and boot it, then run \`pulumi up\` again: apt-get install linux-image-$FLAVOUR && reboot (into ${newest:-the newest})"
    exit 1
  fi
fi
