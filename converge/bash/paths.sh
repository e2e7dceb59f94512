# Files and directories.

looked_at_paths=
declare -A attributes=()

# attributes_of PATH: sets REPLY to "TYPE MODE OWNER GROUP" as stat(1) says it, or to nothing where there is nothing.
attributes_of() {
  local type mode owner group path
  if [[ -z $looked_at_paths ]]; then
    attributes=()
    while read -r type mode owner group path; do
      attributes[$path]="${type:0:1} $mode $owner $group"
    done < <(stat --format='%A %04a %U %G %n' -- "${paths[@]}" 2>/dev/null)
    looked_at_paths=yes
  fi
  REPLY=${attributes[$1]-}
}

# own_attributes PATH: sets mode, owner, group and path of its caller: the attributes of a file that is there, and where
# a link leads. They are left as they are when nothing is there.
own_attributes() {
  attributes_of "$1"
  case $REPLY in
    '') ;;
    -*) read -r _ mode owner group <<<"$REPLY" ;;
    l*)
      path=$(realpath -- "$1")
      restarts[$path]=${restarts[$1]-}
      read -r mode owner group < <(stat --format='%04a %U %G' -- "$path")
      ;;
    *)
      say "$1 is neither a file nor a link to one"
      exit 1
      ;;
  esac
}

# text_of PATH: sets REPLY to what is in the file.
text_of() {
  if IFS= read -r -d '' REPLY <"$1"; then
    REPLY+='(a NUL byte)'
  fi
}

# replace PATH TEXT [VALIDATE]: puts the text beside the file with the attributes in mode, owner and group of its caller,
# and renames it. Sets NEW meanwhile.
replace() {
  local path=$1 text=$2 validate=${3-}
  if [[ -d $path && ! -L $path ]]; then
    say "$path is a directory, and directories are not replaced by files"
    exit 1
  fi
  (umask 022 && mkdir --parents -- "${path%/*}")
  NEW=$path.henhouse-new
  rm --force -- "$NEW"
  printf '%s' "$text" >"$NEW"
  chown -- "$owner:$group" "$NEW"
  chmod -- "$mode" "$NEW"
  if [[ -n $validate ]]; then
    export NEW
    "$validate"
  fi
  # A power cut within seconds would otherwise leave an empty file: the new name may reach the disk before the text.
  sync -- "$NEW"
  changes_soon "$path"
  mv --force --no-target-directory -- "$NEW" "$path"
  NEW=
  changed "$path"
  unit_file_changed "$path"
}

# first_difference EXPECTED FOUND: sets expected and found of its caller to the first lines that differ.
first_difference() {
  local -a lines_expected=() lines_found=()
  local line=0
  mapfile -t lines_expected <<<"$1"
  mapfile -t lines_found <<<"$2"
  while [[ ${lines_expected[line]-} == "${lines_found[line]-}" ]] && ((line <= ${#lines_expected[@]})); do
    line=$((line + 1))
  done
  expected="line $((line + 1)): ${lines_expected[line]-(none)}"
  found="line $((line + 1)): ${lines_found[line]-(none)}"
  expected=${expected:0:160}
  found=${found:0:160}
  if [[ $expected == "$found" ]]; then
    expected="${#1} characters"
    found="${#2} characters"
  fi
}
