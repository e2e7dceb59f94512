# fact NAME FUNCTION: adds what the function prints to the facts.
fact() {
  local name value
  item="fact $1"
  value=$(
    set -e
    "$2"
  )
  if [[ $value == *$'\n'* ]]; then
    say 'a fact is one line; print base64'
    exit 1
  fi
  json name "$1"
  json value "$value"
  found_facts+="${found_facts:+, }$name: $value"
}
