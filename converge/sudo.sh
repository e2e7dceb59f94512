# shellcheck shell=sh disable=SC2154
# What runs a role's script by sudo: converge/sudo.py sets who, user, secrets and bytes, and puts the script in.
refuse() {
  printf '%s\n' "$who cannot become root: $1" >&2
  exit 1
}
said=$(LC_ALL=C sudo -n -H bash -c : 2>&1) || case $said in
*tty*) refuse "sudo wants a terminal (requiretty); write into /etc/sudoers.d/henhouse: Defaults:$user !requiretty" ;;
*'not found'*) refuse 'sudo is not installed; as root: apt-get install sudo' ;;
*) refuse "sudo asks for a password, or $user is not in sudoers; write into /etc/sudoers.d/henhouse: $user ALL=(ALL:ALL) NOPASSWD: ALL (sudo said: $said)" ;;
esac
if [ -n "$secrets" ] && LC_ALL=C sudo -n -l 2>/dev/null | grep -Eq '(^|[^!])log_(input|stdin)|(^|[^A-Z])LOG_INPUT'; then
  refuse "sudo records what it is given on standard input (log_input), and this role's secrets come there; write into /etc/sudoers.d/henhouse: Defaults:$user !log_input, !log_stdin"
fi
{
  cat <<'HENHOUSE_SCRIPT'
@SCRIPT@
HENHOUSE_SCRIPT
  cat
} | sudo -n -H bash -c 'export SSH_CONNECTION=$1; length=$2; shift 2; eval "$(head --bytes="$length")"' henhouse "${SSH_CONNECTION-}" "$bytes" "$@"
