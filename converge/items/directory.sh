# directory PATH MODE OWNER GROUP
directory() {
  local path=$1 mode=$2 owner=$3 group=$4 found
  attributes_of "$path"
  case $REPLY in
    '') found='no directory' ;;
    d*) found=${REPLY#d } ;;
    *) found="something else ($REPLY)" ;;
  esac
  if differs "directory $path" "$mode $owner $group" "$found"; then
    (umask 022 && mkdir --parents -- "$path")
    chown -- "$owner:$group" "$path"
    chmod -- "$mode" "$path"
  fi
}
