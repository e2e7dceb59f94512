KERNEL=$(uname --kernel-release)
if ! dkms autoinstall -k "$KERNEL"; then
  say "DKMS cannot build zfs for the kernel $KERNEL that $(uname --nodename) runs: see /var/lib/dkms/zfs/*/build/make.log there. A newer kernel than this zfs-dkms knows is the usual reason: boot an older one"
  exit 1
fi
