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

# only_turns_swap_on: names those of starts_swap that do nothing else. Others do more, or only mention it: a script that
# watches swap, rules of auditd.
only_turns_swap_on() {
    local unit
    while read -r unit; do
        if is_only_swapon "$unit"; then echo "$unit"; fi
    done < <(starts_swap)
}

# is_only_swapon UNIT: it is a swap unit, or a service all of whose commands are swapon and what belongs to it. What a
# drop-in makes of a service is for people to judge.
is_only_swapon() {
    local file commands program='^[^=]*=[[:space:]]*[-@:+!|]*(/[^[:space:]]*/)?'
    local argument='([^-[:space:]]|-[^-sVh]|--(all|discard|fixpgsz|ifexists|options|priority))'
    if [[ $1 == *.swap ]]; then return; fi
    for file in "$ROOT"/{etc,run,usr/local/lib,usr/lib}/systemd/system/"$1".d/*.conf; do
        if [[ -f $file ]]; then return 1; fi
    done
    for file in "$ROOT"/{etc,run,usr/local/lib,usr/lib}/systemd/system/"$1"; do
        if [[ -f $file ]]; then break; fi # the others do not count
    done
    commands=$(grep --no-messages --extended-regexp '^[[:space:]]*Exec[[:alpha:]]*[[:space:]]*=' "$file") || return
    grep --quiet --extended-regexp "${program}swapon[[:space:]]+$argument" <<<"$commands" &&
        ! grep --quiet --invert-match --extended-regexp "$program(swapon|swapoff|mkswap|true)([[:space:]]|\$)" <<<"$commands"
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
