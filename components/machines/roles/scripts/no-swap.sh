# Turns off swap that is on, and takes what turned it on out of the boot.
mapfile -t swaps </proc/swaps
if ((${#swaps[@]} > 1)); then
    swapoff --all
    while read -r unit; do
        echo "swap was on: $unit is not started at boot any more"
    done < <(disable_what_starts_swap)
fi
