# absent PATH: only ever removes a file or a link.
absent() {
  local found=nothing
  attributes_of "$1"
  if [[ -n $REPLY ]]; then
    found=$REPLY
  fi
  if differs "file $1" nothing "$found"; then
    needs_restart "$1"
    rm -- "$1"
    unit_file_changed "$1"
  fi
}
