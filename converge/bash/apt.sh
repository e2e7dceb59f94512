# apt and dpkg: locks that others have, and faults in words that a person can act on.

readonly apt_patience=600 apt_log=$run/apt.log

# with_locks COMMAND...: runs it, and again for as long as another program has a lock that it needs. apt waits for dpkg's
# locks only (DPkg::Lock::Timeout), not for those of its lists and archives; flock(1) sees none of them, for they are
# fcntl(2)'s. dpkg itself says who has its lock: another process, or a program by its path. Sets apt_log, also when it
# fails.
with_locks() {
  local give_up=$((SECONDS + apt_patience)) status said holder
  local locked='(Could not get lock|lock was locked by )[^'$'\n'']*'
  while true; do
    status=0
    "$@" >"$apt_log" 2>&1 || status=$?
    said=$(<"$apt_log")
    printf '%s\n' "$said"
    if ((status == 0)) || [[ ! $said =~ $locked ]]; then
      return "$status"
    fi
    if ((SECONDS >= give_up)); then
      say "${BASH_REMATCH[0]}: $machine waited $((apt_patience / 60)) minutes for it. See what that process does; when it hangs, end it."
      exit 1
    fi
    if [[ ${BASH_REMATCH[0]} != "${holder-}" ]]; then
      holder=${BASH_REMATCH[0]}
      say "waiting: $holder"
    fi
    sleep 2
  done
}

# apt_get ARGUMENTS...: apt-get; what it fails of is said.
apt_get() {
  local status=0
  with_locks apt-get "$@" || status=$?
  if ((status != 0)); then
    explain_sources "$(<"$apt_log")"
  fi
  return "$status"
}

# seconds_of DURATION: sets REPLY to the seconds in a duration as apt writes it: 1d 2h 3min 4s.
seconds_of() {
  local part
  REPLY=0
  for part in $1; do
    case $part in
      *min) REPLY=$((REPLY + ${part%min} * 60)) ;;
      *d) REPLY=$((REPLY + ${part%d} * 86400)) ;;
      *h) REPLY=$((REPLY + ${part%h} * 3600)) ;;
      *s) REPLY=$((REPLY + ${part%s})) ;;
    esac
  done
}

# utc DATE: sets REPLY to a date(1) as everyone reads it.
utc() {
  REPLY=$(date --utc --date="$1" '+%Y-%m-%d %H:%M UTC')
}

# clock_is_behind WHAT DATE
clock_is_behind() {
  local now
  utc now
  now=$REPLY
  utc "$2"
  say "the clock of $machine is behind: it says $now, and $1 is of $REPLY. Set it on the machine, for example: date --utc --set '$REPLY' && hwclock --systohc"
}

# explain_sources TEXT: what apt-get said of a source that it refuses.
explain_sources() {
  local line now
  utc now
  now=$REPLY
  while IFS= read -r line; do
    if [[ $line =~ Release\ file\ for\ ([^ ]+)\ is\ not\ valid\ yet\ \(invalid\ for\ another\ ([^\)]+)\) ]]; then
      seconds_of "${BASH_REMATCH[2]}"
      clock_is_behind "the Release of ${BASH_REMATCH[1]}" "now + $REPLY seconds"
    elif [[ $line =~ ^W:.*verification\ failed:\ ([^ ]+)\ .*Not\ live\ until\ ([0-9TZ:-]+) ]]; then
      clock_is_behind "the signature of ${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
    elif [[ $line =~ ^[EW]:\ Failed\ to\ fetch\ (https:[^ ]+)\ .*certificate\ verify\ failed ]]; then
      say "$machine does not accept the certificate of ${BASH_REMATCH[1]}. Its clock says $now: is that right? If so, the authority that signed the certificate has to be in its /usr/local/share/ca-certificates (update-ca-certificates)"
    elif [[ $line =~ Release\ file\ for\ ([^ ]+)\ is\ expired\ \(invalid\ since\ ([^\)]+)\) ]]; then
      seconds_of "${BASH_REMATCH[2]}"
      utc "now - $REPLY seconds"
      say "the Release of ${BASH_REMATCH[1]} expired on $REPLY, and the clock of $machine says $now. When the clock is right, the mirror is not refreshed: refresh it, or set check_valid_until: false for this repository in mirrors.apt"
    elif [[ $line =~ ^W:.*verification\ failed:\ ([^ ]+)\ .*Missing\ key\ ([0-9A-F]+) ]]; then
      say "${BASH_REMATCH[1]} is signed by the key ${BASH_REMATCH[2]}, which is not in its signed_by"
    elif [[ $line =~ ^W:.*verification\ failed:\ ([^ ]+)\ .*[Ee]xpired ]]; then
      say "the key that signs ${BASH_REMATCH[1]} has expired, as the machine has it, and the clock of $machine says $now. Give the renewed key: docs/mirrors.md says how"
    elif [[ $line =~ ^E:\ Conflicting\ values\ set\ for\ option\ ([^ ]+)\ regarding\ source\ ([^ ]+) ]]; then
      say "two files of /etc/apt have the source ${BASH_REMATCH[2]} with different ${BASH_REMATCH[1]}: remove the one that is not henhouse's"
    fi
  done <<<"$1"
}
