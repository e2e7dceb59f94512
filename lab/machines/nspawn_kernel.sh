#!/bin/sh
# What a machine of its own finds in its kernel, for one that shares the computer's.
set -eu

# systemd-nspawn mounts version 1 control groups read-only; containerd and kubelet make groups of their own.
if [ -d /sys/fs/cgroup/memory ]; then
    mount -o remount,rw /sys/fs/cgroup
    for hierarchy in /sys/fs/cgroup/*; do
        case $hierarchy in
            */systemd | */unified) continue ;;
        esac
        if [ ! -L "$hierarchy" ] && mountpoint -q "$hierarchy"; then
            mount -o remount,bind,rw "$hierarchy"
        fi
    done
fi

# Every kernel with BPF has a place in /sys for the file system of its programs; this /sys is a tmpfs of systemd-nspawn's.
if [ ! -d /sys/fs/bpf ]; then
    mount -o remount,bind,rw /sys
    mkdir /sys/fs/bpf
    mount -o remount,bind,ro /sys
    mount -t bpf -o nosuid,nodev,noexec bpf /sys/fs/bpf
fi

# kubelet's mount propagation ("Bidirectional") needs a shared tree.
mount --make-rshared /

# Settings that belong to the whole computer are read-only here. The machine gets a private, writable copy of those
# that servers are known to set, with the computer's values in it: setting one changes this machine alone.
private=/run/private-sysctl
while read -r setting; do
    real=/proc/sys/$setting
    if [ -r "$real" ] && ! mountpoint -q "$real"; then
        mkdir -p "$private/${setting%/*}"
        cat "$real" >"$private/$setting"
        mount --bind "$private/$setting" "$real"
    fi
done <<'SETTINGS'
fs/aio-max-nr
fs/file-max
fs/inotify/max_queued_events
fs/inotify/max_user_instances
fs/inotify/max_user_watches
fs/nr_open
fs/protected_fifos
fs/protected_hardlinks
fs/protected_regular
fs/protected_symlinks
fs/suid_dumpable
kernel/core_uses_pid
kernel/dmesg_restrict
kernel/keys/root_maxbytes
kernel/keys/root_maxkeys
kernel/kptr_restrict
kernel/panic
kernel/panic_on_oops
kernel/perf_event_paranoid
kernel/pid_max
kernel/randomize_va_space
kernel/sysrq
kernel/threads-max
kernel/unprivileged_bpf_disabled
kernel/yama/ptrace_scope
vm/dirty_background_ratio
vm/dirty_ratio
vm/max_map_count
vm/min_free_kbytes
vm/overcommit_memory
vm/panic_on_oom
vm/swappiness
vm/vfs_cache_pressure
SETTINGS
