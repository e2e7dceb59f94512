# script NAME CHECK APPLY: two functions. Each runs in a shell of its own, with `set -e` in force: that is why CHECK is
# not simply asked in a condition, where bash would ignore it.
script() {
  local found status
  item=$1
  set +e
  found=$(
    set -e
    "$2" 2>/dev/null
  )
  status=$?
  set -e
  found=${found%%$'\n'*}
  if ((status == 0)); then
    found='it holds'
  fi
  if differs "$1" 'it holds' "${found:-it does not hold}"; then
    settle_units
    (
      set -e
      "$3"
    )
  fi
}
