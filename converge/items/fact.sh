# fact NAME FUNCTION lasting|passing: adds what the function prints to the facts. `check` tells the digest of one that
# lasts, for whoever knows what the stack holds: the value may be a secret.
fact() {
  local name value status digest=
  if [[ $verb == check && $3 == passing ]]; then
    return
  fi
  item="fact $1"
  # Not in a condition, where bash would ignore `set -e`.
  set +e
  value=$(
    set -e
    "$2"
  )
  status=$?
  set -e
  if [[ $status == 0 && ${value//$'\t'/} == *[[:cntrl:]]* ]]; then
    say 'a fact is one line; print base64'
    status=1
  fi
  json name "$1"
  if [[ $verb == check ]]; then
    if ((status == 0)); then
      digest=$(printf '%s' "$value" | sha256sum)
    fi
    printf '{"fact": %s, "digest": "%s"}\n' "$name" "${digest%% *}" >&3
    return
  fi
  if ((status != 0)); then
    exit "$status"
  fi
  json value "$value"
  found_facts+="${found_facts:+, }$name: $value"
}
