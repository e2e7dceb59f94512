found=$(discs)
printf '%s\n' "$found"
[[ -z $found ]]
