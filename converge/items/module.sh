# module NAME: loaded now; a file in modules-load.d has it for the next boot, where no file of modprobe.d forbids it.
module() {
  local name=${1//-/_} found='not loaded' built_in='' forbidden=''
  if [[ -d /sys/module/$name || ! -e /proc/modules ]]; then
    # A kernel without loadable modules has what it has: a parameter that is missing is then named by its own item.
    found=loaded
  else
    IFS= read -r -d '' built_in 2>/dev/null <"/lib/modules/$(</proc/sys/kernel/osrelease)/modules.builtin" || true
    if [[ ${built_in//-/_} == *"/$name.ko"* ]]; then
      found=loaded
    fi
  fi
  # Whoever loads it by hand may: systemd-modules-load(8) does not, at boot.
  forbidden=$(grep --recursive --no-messages --files-with-matches --extended-regexp \
    "^[[:space:]]*(blacklist[[:space:]]+|install[[:space:]]+)${name//_/[_-]}([[:space:]]|\$)" \
    /etc/modprobe.d /run/modprobe.d /usr/local/lib/modprobe.d /usr/lib/modprobe.d | head --lines=1) || true
  if [[ -n $forbidden ]]; then
    found+=", and not after the next boot: $forbidden forbids it"
  fi
  if differs "kernel module $1" loaded "$found"; then
    if [[ -n $forbidden ]]; then
      say "take $1 out of $forbidden"
      exit 1
    fi
    if ! modprobe -- "$1" >"$run/modprobe.log" 2>&1; then
      cat "$run/modprobe.log"
      unsigned "$1" "$(<"$run/modprobe.log")"
      exit 1
    fi
  fi
}

# unsigned NAME TEXT: says so, when a kernel that takes only modules of a key that it knows has refused one.
unsigned() {
  local key=/var/lib/dkms/mok.pub
  if [[ $2 == *'Key was rejected'* || $2 == *'Required key not available'* || $2 == *'Operation not permitted'* && $(cat /sys/kernel/security/lockdown 2>/dev/null) == *'['[ic]* ]]; then
    say "$machine boots with Secure Boot, and its kernel refuses the module $1: it is not signed by a key that the firmware knows. DKMS signs what it builds: enrol its key (mokutil --import $key, then confirm at the console during the next boot), or switch Secure Boot off in the firmware; then run \`pulumi up\` again"
  fi
}
