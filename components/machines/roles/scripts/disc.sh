# discs: prints FILE:LINE:TEXT of the one-line sources that want a disc in the drive.
discs() {
  local disc='^[[:space:]]*deb(-src)?[[:space:]]+(\[[^]]*\][[:space:]]+)?cdrom:'
  # Its status is 2 where one of the files is missing, whatever it has found in the others.
  grep --no-messages --with-filename --line-number --extended-regexp "$disc" \
    /etc/apt/sources.list /etc/apt/sources.list.d/*.list || true
}
