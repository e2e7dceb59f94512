# Disables what turns swap on at a boot, and turns it off. Units that do more are left to `up`.
status=0
only_turns_swap_on | disable_units | sed 's/$/ turns swap on: it is not started at boot any more/' || status=1
swapoff --all
exit "$status"
