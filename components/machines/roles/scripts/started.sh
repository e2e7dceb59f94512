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
