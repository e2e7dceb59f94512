# file PATH MODE OWNER GROUP TEXT [VALIDATE [SECRET]]: VALIDATE is a function; SECRET is the name of what TEXT holds.
file() {
  local path=$1 mode=$2 owner=$3 group=$4 text=$5 validate=${6-} secret=${7-}
  local expected found
  item="file $path"
  attributes_of "$path"
  if [[ -z $REPLY ]]; then
    expected="$mode $owner $group" found='no file'
  elif [[ $REPLY != -* ]]; then
    expected='a file' found="something else (${REPLY})"
  else
    expected="$mode $owner $group" found=${REPLY#- }
    text_of "$path"
    if [[ $REPLY != "$text" ]]; then
      if [[ -n $secret ]]; then
        expected="the secret $secret" found='something else'
      else
        first_difference "$text" "$REPLY"
      fi
    fi
  fi
  if differs "$item" "$expected" "$found"; then
    replace "$path" "$text" "$validate"
  fi
}
