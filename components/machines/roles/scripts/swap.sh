# starts_swap: names what turns swap on at boot without swap.target: whatever calls swapon, and swap units that another
# target wants.
starts_swap() {
    local file state
    started_at_boot swapon
    for file in "$ROOT"/{etc,run,usr/local/lib,usr/lib}/systemd/system/*.swap; do
        if [[ -f $file ]]; then
            state=$(systemctl ${ROOT:+"--root=$ROOT"} is-enabled "${file##*/}" 2>/dev/null) || true
            if [[ $state == enabled* ]]; then echo "${file##*/}"; fi
        fi
    done | sort --unique
}
