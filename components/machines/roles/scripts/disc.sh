# discs: prints the lines of one-line sources that want a disc in the drive.
discs() {
  grep --no-messages --extended-regexp --line-number '^[[:space:]]*deb(-src)?[[:space:]]+(\[[^]]*\][[:space:]]+)?cdrom:' \
    /etc/apt/sources.list /etc/apt/sources.list.d/*.list
}
