# The machine's own Debian mirrors: what the installer, or whoever set the machine up, has chosen.

# debian_sources: prints "URI SUITE COMPONENT FILE:ENTRY" of each component of Debian's suites that a source has.
debian_sources() {
  local targets uri suite component from
  # shellcheck disable=SC2016 # apt's own variables
  targets=$(
    apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(SOURCESENTRY)' 'Created-By: Packages'
  )
  while read -r uri suite component from; do
    case ${suite%-@(updates|security)} in
      "$DEBIAN_SUITE" | stable)
        if [[ $uri != cdrom:* && $from != "$OURS":* ]]; then
          printf '%s\n' "$uri $suite $component $from"
        fi
        ;;
    esac
  done < <(sort --unique <<<"$targets")
}

# signed_by FILE:ENTRY: prints the entry's own Signed-By, which apt wants to be the same wherever a source is named.
signed_by() {
  local file=${1%:*} entry=${1##*:}
  case $file in
    *.sources)
      awk -v RS= -v entry="$entry" 'NR == entry' "$file" |
        awk '/^[^ \t#]/ { take = tolower($0) ~ /^signed-by:/ } take'
      ;;
    *) sed --quiet "${entry}s/^[^#]*\[[^]]*signed-by=\([^] ]*\).*/Signed-By: \1/p" "$file" ;;
  esac
}

# contrib: prints our source: the component contrib, of each of them that does not have it.
contrib() {
  local all uri suite component from
  all=$'\n'$(debian_sources)
  while read -r uri suite component from; do
    if [[ $component == main && $all != *$'\n'"$uri $suite contrib "* ]]; then
      printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: contrib\n' "$uri" "$suite"
      signed_by "$from"
      printf '\n'
    fi
  done <<<"$all"
}
