if found=$(discs); then
  echo "$found"
  exit 1
fi
