# block PATH TEXT: lines that stand together in a file with another owner, between two comments.
block() {
  local path=$1 text=$2 begin="# begin: henhouse, $role" end="# end: henhouse, $role"
  local mode=0644 owner=root group=root each inside='' found='' placed='' rest='' expected
  local -a before=()
  own_attributes "$path"
  if [[ -n $REPLY ]]; then
    mapfile -t before <"$path"
  fi
  for each in "${before[@]}"; do
    case $inside/$each in
      "/$begin")
        inside=yes
        if [[ -z $placed ]]; then
          placed=yes
          rest+=$begin$'\n'$text$end$'\n'
        fi
        ;;
      "yes/$end") inside='' ;;
      yes/*) found+=$each$'\n' ;;
      *) rest+=$each$'\n' ;;
    esac
  done
  if [[ -z $placed ]]; then
    rest+=$begin$'\n'$text$end$'\n'
    expected='the lines of this role' found='no such lines'
  elif [[ -n $inside ]]; then
    # Whose the lines below are cannot be told: they stay.
    rest+=$found
    expected=$end found='no such line'
  elif [[ $found != "$text" ]]; then
    first_difference "$text" "$found"
  else
    expected='' found=''
  fi
  if differs "block of $path" "$expected" "$found"; then
    replace "$path" "$rest"
  fi
}
