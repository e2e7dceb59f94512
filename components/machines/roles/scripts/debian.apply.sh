# mirrors.apt, when it was given, set them aside.
if [[ -z $(debian_sources) ]]; then
  for path in /etc/apt/sources.list.disabled /etc/apt/sources.list.d/*.{list,sources}.disabled; do
    if [[ -e $path && ! -e ${path%.disabled} ]]; then
      mv -- "$path" "${path%.disabled}"
    fi
  done
fi
if [[ -z $(debian_sources) ]]; then
  echo "no package source of this machine has Debian's $DEBIAN_SUITE: write one to /etc/apt/sources.list, such as"
  echo "  deb http://deb.debian.org/debian $DEBIAN_SUITE main"
  echo "or name the site's mirrors in mirrors.apt (docs/mirrors.md)"
  exit 1
fi
text=$(contrib)
if [[ -n $text ]]; then
  (umask 022 && printf '%s\n' "$text" >"$OURS.new")
  mv -- "$OURS.new" "$OURS"
else
  rm --force -- "$OURS"
fi
