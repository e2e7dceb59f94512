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

# only_turns_swap_on: names those of starts_swap that do nothing else: swap units, and services all of whose commands are
# swapon and what belongs to it. Others do more, or only mention it: a script that watches swap, rules of auditd.
only_turns_swap_on() {
    local unit file exec='^[[:space:]]*Exec[[:alpha:]]*[[:space:]]*='
    local program='[[:space:]]*[-@:+!|]*(/[^[:space:]]*/)?'
    local argument='([^-[:space:]]|-[^-sVh]|--(all|discard|fixpgsz|ifexists|options|priority))'
    while read -r unit; do
        if [[ $unit == *.swap ]]; then
            echo "$unit"
            continue
        fi
        # The first is the one that counts; what a drop-in makes of it is for people to judge.
        for file in "$ROOT"/{etc,run,usr/local/lib,usr/lib}/systemd/system/"$unit"; do
            if [[ -f $file ]]; then break; fi
        done
        if ! compgen -G "$ROOT/*/systemd/system/$unit.d/*.conf" >/dev/null &&
            ! compgen -G "$ROOT/usr/*/systemd/system/$unit.d/*.conf" >/dev/null &&
            grep --quiet --no-messages --extended-regexp "$exec${program}swapon[[:space:]]+$argument" "$file" &&
            ! grep --no-messages --extended-regexp "$exec" "$file" |
            grep --quiet --invert-match --extended-regexp "$exec$program(swapon|swapoff|mkswap|true)([[:space:]]|\$)"; then
            echo "$unit"
        fi
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
