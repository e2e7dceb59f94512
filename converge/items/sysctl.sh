# sysctl KEY PATH VALUE: the value now; a file in sysctl.d has it for the next boot.
sysctl() {
  local found words at_boot
  if IFS= read -r found 2>/dev/null <"$2"; then
    read -ra words <<<"$found"
    found=${words[*]}
  else
    found='no such parameter'
  fi
  look_at_parameters
  at_boot=${parameter_at_boot[${2#/proc/sys/}]-$3}
  if [[ $at_boot != "$3" ]]; then
    found+=", and $at_boot after the next boot: ${parameter_file[${2#/proc/sys/}]} is read after henhouse's file"
  fi
  if differs "sysctl $1" "$3" "$found"; then
    if [[ $at_boot != "$3" ]]; then
      say "take $1 out of ${parameter_file[${2#/proc/sys/}]}"
      exit 1
    fi
    printf '%s\n' "$3" >"$2"
  fi
}

declare -A parameter_at_boot=() parameter_file=()

# look_at_parameters: reads what a boot will set, as systemd-sysctl(8) does: files in the order of their names, those in
# /etc before those of the same name in /run, /usr/local/lib and /usr/lib; the last value of a parameter counts. Patterns
# do not: a parameter that is named counts more (sysctl.d(5)).
look_at_parameters() {
  local directory path name line key value
  local -A files=()
  local -a words
  if [[ -n $looked_at_parameters ]]; then
    return
  fi
  parameter_at_boot=() parameter_file=()
  for directory in /usr/lib /usr/local/lib /run /etc; do
    for path in "$directory"/sysctl.d/*.conf; do
      if [[ -e $path ]]; then
        files[${path##*/}]=$path
      fi
    done
  done
  while IFS= read -r name; do
    if [[ -z $name ]]; then
      continue
    fi
    while IFS= read -r line || [[ -n $line ]]; do
      if [[ $line =~ ^[[:space:]]*-?([^#\;=[:space:]*]+)[[:space:]]*=(.*)$ ]]; then
        key=${BASH_REMATCH[1]}
        read -ra words <<<"${BASH_REMATCH[2]}"
        value=${words[*]}
        if [[ ${key%%[./]*} == "${key%%.*}" ]]; then
          key=${key//\//$'\n'} key=${key//./\/} key=${key//$'\n'/.}
        fi
        parameter_at_boot[$key]=$value parameter_file[$key]=${files[$name]}
      fi
    done <"${files[$name]}"
  done < <(printf '%s\n' "${!files[@]}" | sort)
  looked_at_parameters=yes
}
