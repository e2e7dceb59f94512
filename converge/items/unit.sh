# Units of systemd.

looked_at_units=
declare -A unit_file=() load=() active=() since=() sub=() stale=()

# look_at_units: asks for all units of the role at once. The answers come in the order of the names.
look_at_units() {
  local line unit at=0
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
      ActiveEnterTimestamp=*) since[$unit]=${line#*=@} ;;
      SubState=*) sub[$unit]=${line#*=} ;;
      NeedDaemonReload=*) stale[$unit]=${line#*=} ;;
    esac
  done < <(
    systemctl show --timestamp=unix \
      --property=UnitFileState,LoadState,ActiveState,ActiveEnterTimestamp,SubState,NeedDaemonReload -- "${units[@]}"
  )
  looked_at_units=yes
}

# unit UNIT enabled|disabled|masked active|inactive [restart|reload]
unit() {
  local unit=$1 boot=$2 now=$3 how=${4-restart} boot_found now_found changed
  item="unit $unit"
  look_at_units
  boot_found=${unit_file[$unit]:-${load[$unit]}}
  case $boot/$boot_found in
    # Nothing to enable: another unit pulls it in, or a generator made it.
    enabled/static | enabled/generated | enabled/alias | enabled/indirect) boot_found=enabled ;;
    disabled/static | disabled/indirect | disabled/masked | disabled/not-found) boot_found=disabled ;;
  esac
  now_found="${active[$unit]} (${sub[$unit]})"
  case $now/${active[$unit]} in
    active/active | active/reloading | active/refreshing) now_found=active ;;
    inactive/inactive | inactive/failed) now_found=inactive ;;
  esac
  if [[ $now_found == active && -e $run/restart-$unit ]]; then
    read -r changed <"$run/restart-$unit"
    if [[ ${since[$unit]} -le $changed ]]; then
      now_found='active with an older configuration'
    fi
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
    active/active | inactive/inactive) ;;
    active/*older*) start_again "$how" ;;
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
