# package_lists FILE...: fetched since each of the files was written.
package_lists() {
  local stamp=/var/lib/apt/henhouse-lists found=fetched path
  if [[ ! -e $stamp ]]; then
    found='never fetched'
  fi
  for path; do
    if [[ -e $stamp && $path -nt $stamp ]]; then
      found="older than $path"
    fi
  done
  if differs 'package lists of these sources' fetched "$found"; then
    apt_get -o APT::Update::Error-Mode=any update
    touch "$stamp"
  fi
}
