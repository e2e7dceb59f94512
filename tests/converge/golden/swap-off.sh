#!/usr/bin/env bash
# The role swap-off of chick0: bash SCRIPT check|apply
# shellcheck disable=SC2016,SC2034,SC2154,SC2317,SC2329 # a role need not use all of the parts below
[ -n "${BASH_VERSION-}" ] || { echo 'henhouse: chick0: swap-off: the login shell must be bash' >&2; exit 1; }
set -euo pipefail
verb=${1:-apply} machine=chick0 role=swap-off
paths=(/etc/fstab /etc/henhouse /etc/henhouse/no-swap /etc/systemd/system/henhouse-no-swap.service /etc/systemd/system/kubelet.service.d/05-henhouse-no-swap.conf /etc/systemd/system/swap.d/henhouse.conf)
units=(systemd-zram-setup@zram0.service zramswap.service dphys-swapfile.service swapspace.service swap.target henhouse-no-swap.service)
declare -A restarts=(
)

check_13() {
ROOT=''
# started_at_boot PATTERN: names units, and files of cron, by which a boot runs a program that matches: in their own
# command, or in a script that they run. Masked and disabled ones are skipped, and those of henhouse.
started_at_boot() {
    local word="(.*[^[:alnum:]_-])?($1)([^[:alnum:]_-]|\$)" file path
    local command='^[[:space:]]*Exec(Start|StartPre|StartPost)[[:space:]]*=' tables
    local -a units=() scripts=() patterns=()
    for file in "$ROOT"/{etc,run,usr/local/lib,usr/lib}/systemd/system/*.service \
        "$ROOT"/run/systemd/generator{,.early,.late}/*.service; do
        if [[ -f $file && ${file##*/} != henhouse-* ]]; then units+=("$file"); fi
    done
    patterns=("$command$word")
    while read -r path; do
        if [[ -f $ROOT$path && $path != */henhouse-* ]]; then scripts+=("$ROOT$path"); fi
    done < <(sed --quiet --regexp-extended "s/$command//p" "${units[@]}" /dev/null |
        grep --only-matching --extended-regexp "/[^][:space:];\"'(){}&|<>]+" | sort --unique)
    while read -r path; do
        path=${path#"$ROOT"}
        patterns+=("$command.*${path//[^[:alnum:]\/_-]/.}([^[:alnum:]_/-]|\$)")
    done < <(grep --files-with-matches --binary-files=without-match --extended-regexp "^([^#]*[^#[:alnum:]_-])?($1)([^[:alnum:]_-]|\$)" "${scripts[@]}" /dev/null)
    while read -r file; do
        if will_start "${file##*/}"; then echo "${file##*/}"; fi
    done < <(grep --files-with-matches --extended-regexp "${patterns[@]/#/--regexp=}" "${units[@]}" /dev/null) | sort --unique
    for tables in "$ROOT"/etc/crontab "$ROOT"/etc/cron.d "$ROOT"/var/spool/cron/crontabs; do
        grep --recursive --files-with-matches --no-messages --extended-regexp "^([^#]*[^#[:alnum:]_-])?($1)([^[:alnum:]_-]|\$)" "$tables" || true
    done
}

# will_start UNIT: nothing keeps a boot, or a timer, from starting it.
will_start() {
    local state
    state=$(systemctl ${ROOT:+"--root=$ROOT"} is-enabled "$1" 2>/dev/null) || true
    case $state in
        masked* | '') return 1 ;;
        disabled)
            state=$(systemctl ${ROOT:+"--root=$ROOT"} is-enabled "${1%.service}.timer" 2>/dev/null) || true
            [[ $state == enabled ]]
            ;;
    esac
}
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

found=$(starts_swap)
echo "${found//$'\n'/, }"
[[ -z $found ]]
}

apply_13() {
ROOT=''
# started_at_boot PATTERN: names units, and files of cron, by which a boot runs a program that matches: in their own
# command, or in a script that they run. Masked and disabled ones are skipped, and those of henhouse.
started_at_boot() {
    local word="(.*[^[:alnum:]_-])?($1)([^[:alnum:]_-]|\$)" file path
    local command='^[[:space:]]*Exec(Start|StartPre|StartPost)[[:space:]]*=' tables
    local -a units=() scripts=() patterns=()
    for file in "$ROOT"/{etc,run,usr/local/lib,usr/lib}/systemd/system/*.service \
        "$ROOT"/run/systemd/generator{,.early,.late}/*.service; do
        if [[ -f $file && ${file##*/} != henhouse-* ]]; then units+=("$file"); fi
    done
    patterns=("$command$word")
    while read -r path; do
        if [[ -f $ROOT$path && $path != */henhouse-* ]]; then scripts+=("$ROOT$path"); fi
    done < <(sed --quiet --regexp-extended "s/$command//p" "${units[@]}" /dev/null |
        grep --only-matching --extended-regexp "/[^][:space:];\"'(){}&|<>]+" | sort --unique)
    while read -r path; do
        path=${path#"$ROOT"}
        patterns+=("$command.*${path//[^[:alnum:]\/_-]/.}([^[:alnum:]_/-]|\$)")
    done < <(grep --files-with-matches --binary-files=without-match --extended-regexp "^([^#]*[^#[:alnum:]_-])?($1)([^[:alnum:]_-]|\$)" "${scripts[@]}" /dev/null)
    while read -r file; do
        if will_start "${file##*/}"; then echo "${file##*/}"; fi
    done < <(grep --files-with-matches --extended-regexp "${patterns[@]/#/--regexp=}" "${units[@]}" /dev/null) | sort --unique
    for tables in "$ROOT"/etc/crontab "$ROOT"/etc/cron.d "$ROOT"/var/spool/cron/crontabs; do
        grep --recursive --files-with-matches --no-messages --extended-regexp "^([^#]*[^#[:alnum:]_-])?($1)([^[:alnum:]_-]|\$)" "$tables" || true
    done
}

# will_start UNIT: nothing keeps a boot, or a timer, from starting it.
will_start() {
    local state
    state=$(systemctl ${ROOT:+"--root=$ROOT"} is-enabled "$1" 2>/dev/null) || true
    case $state in
        masked* | '') return 1 ;;
        disabled)
            state=$(systemctl ${ROOT:+"--root=$ROOT"} is-enabled "${1%.service}.timer" 2>/dev/null) || true
            [[ $state == enabled ]]
            ;;
    esac
}
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

starts_swap | disable_units || true
found=$(starts_swap)
if [[ -n $found ]]; then
  echo "${found//$'\n'/, } would turn swap on at boot and cannot be switched off from here:"
  echo 'take swapon out of it, or mask it'
  exit 1
fi
}

check_14() {
mapfile -t found </proc/swaps; echo "${found[1]-}"; ((${#found[@]} <= 1))
}

apply_14() {
swapoff --all
}

items() {
  line comment /etc/fstab '^[^#]\S*\s+\S+\s+swap(\s|$)' ''
  unit systemd-zram-setup@zram0.service masked inactive
  unit zramswap.service masked inactive
  unit dphys-swapfile.service masked inactive
  unit swapspace.service masked inactive
  unit swap.target masked inactive
  directory /etc/henhouse 0755 root root
  file /etc/henhouse/no-swap 0755 root root '#!/usr/bin/env bash
set -euo pipefail
ROOT='"'"''"'"'
# started_at_boot PATTERN: names units, and files of cron, by which a boot runs a program that matches: in their own
# command, or in a script that they run. Masked and disabled ones are skipped, and those of henhouse.
started_at_boot() {
    local word="(.*[^[:alnum:]_-])?($1)([^[:alnum:]_-]|\$)" file path
    local command='"'"'^[[:space:]]*Exec(Start|StartPre|StartPost)[[:space:]]*='"'"' tables
    local -a units=() scripts=() patterns=()
    for file in "$ROOT"/{etc,run,usr/local/lib,usr/lib}/systemd/system/*.service \
        "$ROOT"/run/systemd/generator{,.early,.late}/*.service; do
        if [[ -f $file && ${file##*/} != henhouse-* ]]; then units+=("$file"); fi
    done
    patterns=("$command$word")
    while read -r path; do
        if [[ -f $ROOT$path && $path != */henhouse-* ]]; then scripts+=("$ROOT$path"); fi
    done < <(sed --quiet --regexp-extended "s/$command//p" "${units[@]}" /dev/null |
        grep --only-matching --extended-regexp "/[^][:space:];\"'"'"'(){}&|<>]+" | sort --unique)
    while read -r path; do
        path=${path#"$ROOT"}
        patterns+=("$command.*${path//[^[:alnum:]\/_-]/.}([^[:alnum:]_/-]|\$)")
    done < <(grep --files-with-matches --binary-files=without-match --extended-regexp "^([^#]*[^#[:alnum:]_-])?($1)([^[:alnum:]_-]|\$)" "${scripts[@]}" /dev/null)
    while read -r file; do
        if will_start "${file##*/}"; then echo "${file##*/}"; fi
    done < <(grep --files-with-matches --extended-regexp "${patterns[@]/#/--regexp=}" "${units[@]}" /dev/null) | sort --unique
    for tables in "$ROOT"/etc/crontab "$ROOT"/etc/cron.d "$ROOT"/var/spool/cron/crontabs; do
        grep --recursive --files-with-matches --no-messages --extended-regexp "^([^#]*[^#[:alnum:]_-])?($1)([^[:alnum:]_-]|\$)" "$tables" || true
    done
}

# will_start UNIT: nothing keeps a boot, or a timer, from starting it.
will_start() {
    local state
    state=$(systemctl ${ROOT:+"--root=$ROOT"} is-enabled "$1" 2>/dev/null) || true
    case $state in
        masked* | '"'"''"'"') return 1 ;;
        disabled)
            state=$(systemctl ${ROOT:+"--root=$ROOT"} is-enabled "${1%.service}.timer" 2>/dev/null) || true
            [[ $state == enabled ]]
            ;;
    esac
}
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
    local file commands program='"'"'^[^=]*=[[:space:]]*[-@:+!|]*(/[^[:space:]]*/)?'"'"'
    local argument='"'"'([^-[:space:]]|-[^-sVh]|--(all|discard|fixpgsz|ifexists|options|priority))'"'"'
    if [[ $1 == *.swap ]]; then return; fi
    for file in "$ROOT"/{etc,run,usr/local/lib,usr/lib}/systemd/system/"$1".d/*.conf; do
        if [[ -f $file ]]; then return 1; fi
    done
    for file in "$ROOT"/{etc,run,usr/local/lib,usr/lib}/systemd/system/"$1"; do
        if [[ -f $file ]]; then break; fi # the others do not count
    done
    commands=$(grep --no-messages --extended-regexp '"'"'^[[:space:]]*Exec[[:alpha:]]*[[:space:]]*='"'"' "$file") || return
    grep --quiet --extended-regexp "${program}swapon[[:space:]]+$argument" <<<"$commands" &&
        ! grep --quiet --invert-match --extended-regexp "$program(swapon|swapoff|mkswap|true)([[:space:]]|\$)" <<<"$commands"
}

# disable_units: disables the units of standard input where that can be done, and prints their names. A unit of the site'"'"'s
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
# Disables what turns swap on at a boot, and turns it off. Units that do more are left to `up`.
status=0
only_turns_swap_on | disable_units | sed '"'"'s/$/ turns swap on: it is not started at boot any more/'"'"' || status=1
swapoff --all
exit "$status"
'
  file /etc/systemd/system/henhouse-no-swap.service 0644 root root '[Unit]
Description=No swap: the kubelet refuses to start with it
Documentation=man:swapoff(8)
# After everything that a boot starts, whoever wrote it; and whenever systemd sees swap come (/etc/systemd/system/swap.d/henhouse.conf).
After=multi-user.target

[Service]
Type=oneshot
ExecStart=/etc/henhouse/no-swap

[Install]
WantedBy=multi-user.target
'
  file /etc/systemd/system/swap.d/henhouse.conf 0644 root root '[Unit]
Wants=henhouse-no-swap.service
Before=henhouse-no-swap.service
'
  file /etc/systemd/system/kubelet.service.d/05-henhouse-no-swap.conf 0644 root root '[Service]
ExecStartPre=-/usr/sbin/swapoff --all
'
  unit henhouse-no-swap.service enabled any
  script 'nothing turns swap on at boot' check_13 apply_13
  script 'no active swap' check_14 apply_14
}

facts() {
  found_facts=
}

main
