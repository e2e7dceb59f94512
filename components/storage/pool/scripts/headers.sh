# What DKMS compiles against, for the kernel that runs and for those that upgrades bring.

KERNEL=$(uname --kernel-release)
FLAVOUR=amd64
if [[ $KERNEL =~ -((cloud|rt)-amd64)$ ]]; then
  FLAVOUR=${BASH_REMATCH[1]}
fi

# has_headers: where a module is built for the running kernel, its headers are (or were; then it is built already).
has_headers() {
  [[ -d /lib/modules/$KERNEL/build/ ]] || modinfo --set-version "$KERNEL" --filename zfs >/dev/null 2>&1
}

# follows: the package that brings the headers of the next kernel is there.
follows() {
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "linux-headers-$FLAVOUR" 2>/dev/null) == installed ]]
}
