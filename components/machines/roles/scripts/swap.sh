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

# disable_what_starts_swap: disables the units that starts_swap names, where that can be done, and prints their names. A
# unit of the site's own may do more than that: it is not stopped, and can be enabled again without its swapon.
disable_what_starts_swap() {
    local unit
    while read -r unit; do
        if [[ $(systemctl is-enabled "$unit" 2>/dev/null) == enabled* ]]; then
            systemctl disable --quiet -- "$unit"
            echo "$unit"
        fi
    done < <(starts_swap)
}
