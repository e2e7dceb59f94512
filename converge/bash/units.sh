# What systemd knows of the units' files.

# systemd re-reads unit files only when it is told to, and that takes seconds on a slow machine: once for many.
unit_links_changed=

# unit_file_changed PATH: notes it, if it is a unit's file. The note outlives an interrupted apply.
unit_file_changed() {
  if [[ $1 == /etc/systemd/system/* ]]; then
    : >"$run/reload-units"
  fi
}

# reload_units: before a unit starts, so that it starts with its new file.
reload_units() {
  if [[ -e $run/reload-units ]]; then
    systemctl daemon-reload
    rm --force -- "$run/reload-units"
    unit_links_changed=
  fi
}

# settle_units: before anything that looks at units in its own way; what is enabled or masked counts, too.
settle_units() {
  if [[ -n $unit_links_changed ]]; then
    : >"$run/reload-units"
  fi
  reload_units
}
