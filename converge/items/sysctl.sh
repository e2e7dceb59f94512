# sysctl KEY PATH VALUE: the value now; a file in sysctl.d has it for the next boot.
sysctl() {
  local found words
  if IFS= read -r found 2>/dev/null <"$2"; then
    read -ra words <<<"$found"
    found=${words[*]}
  else
    found='no such parameter'
  fi
  if differs "sysctl $1" "$3" "$found"; then
    printf '%s\n' "$3" >"$2"
  fi
}
