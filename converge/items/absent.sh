# absent PATH: only ever removes a file or a link.
absent() {
  local found=nothing
  attributes_of "$1"
  if [[ -n $REPLY ]]; then
    found=$REPLY
  fi
  if differs "file $1" nothing "$found"; then
    changes_soon "$1"
    rm -- "$1"
    changed "$1"
    unit_file_changed "$1"
  fi
}
