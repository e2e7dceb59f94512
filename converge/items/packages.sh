# packages SPEC...: a SPEC is "NAME VERSION held|-"; VERSION is a pattern, * for any.
packages() {
  local spec name version hold want state present expected found
  local -A installed=()
  local -a names=() missing=() holds=() install=(
    apt_get --yes --no-install-recommends -o Dpkg::Options::=--force-confdef
    -o Dpkg::Options::=--force-confold
  )
  item=packages
  for spec; do
    names+=("${spec%% *}")
  done
  while read -r name want state present; do
    installed[$name]="$want $state $present"
  done < <(dpkg-query --show --showformat='${Package} ${db:Status-Want} ${db:Status-Status} ${Version}\n' "${names[@]}" 2>/dev/null)
  for spec; do
    read -r name version hold <<<"$spec"
    read -r want state present <<<"${installed[$name]-}"
    expected=installed found=installed
    if [[ $version != '*' ]]; then
      expected=$version found=$present
      # shellcheck disable=SC2053 # a version is a pattern
      if [[ $present == $version ]]; then
        found=$version
      fi
    fi
    if [[ $state != installed ]]; then
      found=${state:-not-installed}
    elif [[ $hold == held ]]; then
      expected+=', held'
      if [[ $want == hold ]]; then
        found+=', held'
      fi
    fi
    if differs "package $name" "$expected" "$found"; then
      if [[ $state == installed ]]; then
        not_newer "$name" "$present" "$version"
      fi
      # shellcheck disable=SC2053
      if [[ $state != installed || $present != $version ]]; then
        missing+=("$name${version:+=$version}")
      fi
      if [[ $hold == held ]]; then
        holds+=("$name")
      fi
      if [[ $want == hold ]]; then
        install+=(--allow-change-held-packages)
      fi
    fi
  done
  if ((${#missing[@]} > 0)); then
    item="packages ${missing[*]%=\*}"
    settle_units
    if compgen -G '/var/lib/dpkg/updates/[0-9]*' >/dev/null; then
      with_locks dpkg --configure --pending
    fi
    if [[ -n $(find /var/lib/apt/lists -maxdepth 0 -mtime +0) ]]; then
      apt_get update
    fi
    # Lists of today may still be older than the mirror.
    if ! "${install[@]}" install "${missing[@]%=\*}"; then
      apt_get update
      if ! "${install[@]}" install "${missing[@]%=\*}"; then
        offered "${missing[@]}"
        exit 1
      fi
    fi
  fi
  if ((${#holds[@]} > 0)); then
    item="hold of ${holds[*]}"
    with_locks apt-mark hold "${holds[@]}"
  fi
}

# not_newer NAME PRESENT PATTERN: ends the apply where the package would be downgraded.
not_newer() {
  local wanted=${3%\*}
  # shellcheck disable=SC2053 # a version is a pattern
  if [[ $3 == '*' || $2 == $3 ]] || ! dpkg --compare-versions "$2" gt "${wanted%[-~+.]}"; then
    return 0
  fi
  say "$1 is $2 on $machine, newer than $3, and is not downgraded unasked. Raise the version in the settings, or, with nothing running on the machine: apt-get install --allow-downgrades --allow-change-held-packages '$1=$3'"
  exit 1
}

# offered NAME=PATTERN...: names those that no source has, and what it has instead.
offered() {
  local each name version versions
  for each; do
    name=${each%%=*} version=${each#*=}
    versions=$(
      apt-cache madison "$name" | cut --delimiter='|' --fields=2 | tr --delete ' ' |
        sort --unique --version-sort --reverse
    )
    # shellcheck disable=SC2086 # versions are words
    if [[ -z $versions ]]; then
      say "no candidate for ${each%=\*}: no repository of $machine has $name"
    elif ! any_like "$version" $versions; then
      say "no candidate for $each: the repositories offer ${versions//$'\n'/, }"
    fi
  done
}

# any_like PATTERN WORD...
any_like() {
  local pattern=$1 word
  shift
  for word; do
    # shellcheck disable=SC2053
    if [[ $word == $pattern ]]; then
      return 0
    fi
  done
  return 1
}
