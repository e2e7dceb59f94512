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

# turns_swap_on: names those of starts_swap that do so by their own command, and swap units. Others may only mention it: a
# script that watches swap, rules of auditd.
turns_swap_on() {
    local unit file exec='^Exec(Start|StartPre|StartPost)=[-@:+!|]*(/[^[:space:]]*/)?'
    local swapon='swapon[[:space:]]+([^-[:space:]]|-[^-sVh]|--(all|discard|fixpgsz|ifexists|options|priority))'
    local shell="(env[[:space:]]+)?(ba|da)?sh[[:space:]]+-[a-z]*c[[:space:]]([^#]*[;&|({])?[[:space:]\"']*(/[^[:space:]]*/)?"
    while read -r unit; do
        for file in "$ROOT"/{etc,run,usr/local/lib,usr/lib}/systemd/system/"$unit"; do
            if [[ $unit == *.swap ]] || grep --quiet --no-messages --extended-regexp "$exec($shell)?$swapon" "$file"; then
                echo "$unit"
                break
            fi
        done
    done < <(starts_swap)
}

# disable_units: disables the units of standard input where that can be done, and prints their names. A unit of the site's
# own may do more than turn swap on: it is not stopped, and can be enabled again without its swapon.
disable_units() {
    local unit status=0
    while read -r unit; do
        if [[ $(systemctl is-enabled "$unit" 2>/dev/null) == enabled* ]]; then
            if systemctl disable --quiet -- "$unit"; then echo "$unit"; else status=1; fi
        fi
    done
    return "$status"
}
