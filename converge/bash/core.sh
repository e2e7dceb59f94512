# What every role's script has: the verbs, differences, progress, and what is said when something fails.

export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
readonly run=/run/henhouse
declare -A secrets=()
item=start
changes=0
NEW=
looked_at_parameters=
shopt -u patsub_replacement 2>/dev/null || true

# say TEXT: progress, for whoever watches the apply.
say() {
  printf '%s\n' "$1" >&4
}

# json VARIABLE TEXT: puts the text into the variable as a JSON string.
json() {
  local text=$2
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\n'/\\n}
  text=${text//$'\t'/\\t}
  text=${text//[[:cntrl:]]/?}
  printf -v "$1" '"%s"' "$text"
}

# differs ITEM EXPECTED FOUND: true when there is something to change. `check` reports the difference instead.
# Sets item, counts changes, reads verb.
differs() {
  local name expected found
  item=$1
  if [[ $2 == "$3" ]]; then
    return 1
  fi
  case $verb in
    check)
      json name "$1"
      json expected "$2"
      json found "$3"
      printf '{"item": %s, "expected": %s, "found": %s}\n' "$name" "$expected" "$found" >&3
      return 1
      ;;
    verify)
      say "still found: $3"
      say "expected:    $2"
      exit 1
      ;;
  esac
  say "$1: $3 -> $2"
  changes=$((changes + 1))
  forget
  return 0
}

# forget: something is about to change, so what was looked up for all items at once has to be looked up again.
forget() {
  looked_at_paths=
  looked_at_units=
  looked_at_parameters=
}

# A note says which start of a unit has read a configuration that is no longer there: the invocation ID of systemd,
# which every start changes (systemd.exec(5)). No clock takes part: one that was set back would make an old start look
# new. The note outlives an interrupted apply, and is gone after a boot, which starts everything again.

# changes_soon PATH: whatever runs of its units has to start again, until `changed` knows better.
changes_soon() {
  local unit
  for unit in ${restarts[$1]-}; do
    printf 'whatever runs\n' >"$run/restart-$unit"
  done
}

# changed PATH: a unit that starts from now on reads the new file.
changed() {
  local unit
  for unit in ${restarts[$1]-}; do
    systemctl show --property=InvocationID --value -- "$unit" >"$run/restart-$unit.new"
    mv --force -- "$run/restart-$unit.new" "$run/restart-$unit"
  done
}

# Says what failed, and the end of what the tools said about it, without the values of secrets.
failed() {
  local status=$? said name value
  trap - EXIT
  if ((status == 0)); then
    return
  fi
  if [[ -n $NEW ]]; then
    rm --force -- "$NEW"
  fi
  if [[ $verb != check ]]; then
    said=$(tail --lines=25 "/proc/$$/fd/5" 2>/dev/null) || said=
    for name in "${!secrets[@]}"; do
      value=$(base64 --decode <<<"${secrets[$name]}" 2>/dev/null) || continue
      said=${said//"${value:-"${secrets[$name]}"}"/"[secret $name]"}
    done
    if [[ -n $said ]]; then
      say "$said"
    fi
  fi
  say "henhouse: $machine: $role: $item: failed with exit status $status. Fix the problem above and run \`pulumi up\` again; it resumes here."
  exit "$status"
}

check() {
  exec >/dev/null
  items
  facts
}

# Tools write to an unlinked file, of which only the end is shown, and only when something fails: all that is printed
# stays in the stack's state.
apply() {
  umask 077
  item='the lock of this machine'
  mkdir --parents "$run"
  exec 9>"$run/lock"
  if ! flock --timeout 900 9; then
    say 'another apply has held the lock of this machine for 15 minutes'
    exit 1
  fi
  exec 5<>"$run/$role.log"
  rm --force -- "$run/$role.log"
  exec >&5 2>&5
  items
  settle_units
  if ((changes > 0)); then
    verb=verify
    forget
    items
  fi
  facts
  printf '{%s}\n' "$found_facts" >&3
}

main() {
  exec 3>&1 4>&2 </dev/null
  trap failed EXIT
  case $verb in
    check | apply) "$verb" ;;
    *)
      printf 'usage: bash SCRIPT check|apply\n' >&4
      exit 2
      ;;
  esac
}
