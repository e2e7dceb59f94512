# Disables what turns swap on at a boot, and turns it off.
while read -r unit; do
    echo "$unit turns swap on: it is not started at boot any more"
done < <(disable_what_starts_swap)
swapoff --all
