# line set|comment PATH MATCHING [LINE]: lines of a file with another owner.
line() {
  local action=$1 path=$2 matching=$3 wanted=${4-}
  local mode=0644 owner=root group=root expected=$wanted found='' at='' each
  local -a before=() after=()
  item="line of $path"
  own_attributes "$path"
  if [[ -n $REPLY ]]; then
    mapfile -t before <"$path"
  fi
  for each in "${before[@]}"; do
    if [[ $action == comment ]]; then
      if [[ ! $each =~ ^[[:space:]]*# && $each =~ $matching ]]; then
        found=${found:-$each}
        each="# $each"
      fi
    elif [[ $each == "$wanted" || $each =~ $matching ]]; then
      if [[ -n $at ]]; then
        found=${found:-$each}
        continue
      fi
      if [[ $each != "$wanted" ]]; then
        found=$each
        each=$wanted
      fi
      at=here
    fi
    after+=("$each")
  done
  if [[ $action == comment ]]; then
    expected="no active line that matches $matching"
  elif [[ -z $at ]]; then
    found='no such line'
    after+=("$wanted")
  fi
  if differs "$item" "$expected" "${found:-$expected}"; then
    printf -v REPLY '%s\n' "${after[@]}"
    replace "$path" "$REPLY"
  fi
}
