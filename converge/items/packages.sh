# packages SPEC...: a SPEC is "NAME VERSION held|-"; VERSION is a pattern, * for any.
packages() {
  local spec name version hold want state present expected found
  local -A installed=()
  local -a names=() missing=() holds=() install=(
    apt-get --yes --no-install-recommends -o DPkg::Lock::Timeout=600
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold
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
      dpkg --configure --pending
    fi
    if [[ -n $(find /var/lib/apt/lists -maxdepth 0 -mtime +0) ]]; then
      apt-get -o DPkg::Lock::Timeout=600 update
    fi
    # Lists of today may still be older than the mirror.
    if ! "${install[@]}" install "${missing[@]%=\*}"; then
      apt-get -o DPkg::Lock::Timeout=600 update
      "${install[@]}" install "${missing[@]%=\*}"
    fi
  fi
  if ((${#holds[@]} > 0)); then
    item="hold of ${holds[*]}"
    apt-mark hold "${holds[@]}"
  fi
}
