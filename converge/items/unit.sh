# Units of systemd.

looked_at_units=
declare -A unit_file=() load=() active=() since=() sub=() stale=() invocation=()

# look_at_units: asks for all units of the role at once. The answers come in the order of the names.
look_at_units() {
  local line unit at=0 properties
  if [[ -n $looked_at_units ]]; then
    return
  fi
  unit=${units[0]}
  while IFS= read -r line; do
    case $line in
      '') at=$((at + 1)) unit=${units[at]-} ;;
      UnitFileState=*) unit_file[$unit]=${line#*=} ;;
      LoadState=*) load[$unit]=${line#*=} ;;
      ActiveState=*) active[$unit]=${line#*=} ;;
      ActiveEnterTimestampMonotonic=*) since[$unit]=${line#*=} ;;
      InvocationID=*) invocation[$unit]=${line#*=} ;;
      SubState=*) sub[$unit]=${line#*=} ;;
      NeedDaemonReload=*) stale[$unit]=${line#*=} ;;
    esac
  done < <(
    properties=UnitFileState,LoadState,ActiveState,ActiveEnterTimestampMonotonic,InvocationID,SubState,NeedDaemonReload
    systemctl show --property="$properties" -- "${units[@]}"
  )
  looked_at_units=yes
}

# reads_old_files UNIT: whether what runs of it started before its files changed.
reads_old_files() {
  local noted uptime
  if [[ ! -e $run/restart-$1 ]]; then
    return 1
  fi
  read -r noted <"$run/restart-$1" || true
  if [[ $noted =~ ^[0-9]{1,12}$ ]]; then
    # A note of henhouse before it knew invocations: seconds since 1970. When the unit started is told by its age, for
    # the clock may have been set since.
    read -r uptime _ </proc/uptime
    ((EPOCHSECONDS - ${uptime%.*} + since[$1] / 1000000 <= noted))
  else
    [[ $noted == 'whatever runs' || $noted == "${invocation[$1]-}" ]]
  fi
}

# unit UNIT enabled|disabled|masked|any active|inactive|any [restart|reload]
unit() {
  local unit=$1 boot=$2 now=$3 how=${4-restart} boot_found now_found
  item="unit $unit"
  look_at_units
  boot_found=${unit_file[$unit]:-${load[$unit]}}
  case $boot/$boot_found in
    # Nothing to enable: another unit pulls it in, or a generator made it.
    enabled/static | enabled/generated | enabled/alias | enabled/indirect) boot_found=enabled ;;
    disabled/static | disabled/indirect | disabled/masked | disabled/not-found) boot_found=disabled ;;
    any/*) boot_found=any ;;
  esac
  now_found="${active[$unit]} (${sub[$unit]})"
  case $now/${active[$unit]} in
    active/active | active/reloading | active/refreshing) now_found=active ;;
    inactive/inactive | inactive/failed) now_found=inactive ;;
  esac
  if [[ ${active[$unit]} == active ]] && reads_old_files "$unit"; then
    now_found='active with an older configuration'
  elif [[ $now == any ]]; then
    now_found=any
  fi
  if differs "$item" "$boot, $now" "$boot_found, $now_found"; then
    change_unit
  fi
}

# change_unit: reads unit, boot, boot_found, now, now_found and how of its caller, `unit`.
change_unit() {
  if [[ ${stale[$unit]-} == yes ]]; then
    : >"$run/reload-units"
  fi
  if [[ $boot_found != "$boot" ]]; then
    if [[ $boot_found == masked* ]]; then
      systemctl --no-reload unmask -- "$unit"
      : >"$run/reload-units"
    fi
    case $boot in
      enabled) systemctl --no-reload enable -- "$unit" ;;
      disabled) systemctl --no-reload disable -- "$unit" ;;
      masked) systemctl --no-reload mask -- "$unit" ;;
    esac
    unit_links_changed=yes
  fi
  reload_units
  case $now/$now_found in
    active/active | inactive/inactive | any/any) ;;
    active/*older* | any/*older*) start_again "$how" ;;
    active/*) start_again restart ;;
    *) systemctl stop -- "$unit" ;;
  esac
  rm --force -- "$run/restart-$unit"
}

# start_again restart|reload: reads unit of its caller. systemd refuses a unit that failed or that was started often in a short time
# (StartLimitBurst= in systemd.unit(5)); this start is asked for, so both are reset first.
start_again() {
  systemctl reset-failed -- "$unit" 2>/dev/null || true
  systemctl "$1" -- "$unit"
}
