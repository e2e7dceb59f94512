if [[ -z $(debian_sources) ]]; then
  echo "no source has Debian's $DEBIAN_SUITE"
  exit 1
fi
found=
if [[ -e $OURS ]]; then
  found=$(<"$OURS")
fi
[[ $found == "$(contrib)" ]]
