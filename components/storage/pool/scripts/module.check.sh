[[ -d /sys/module/zfs ]] || modinfo --set-version "$(uname --kernel-release)" --filename zfs
