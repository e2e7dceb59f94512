# module NAME: loaded now; a file in modules-load.d has it for the next boot.
module() {
  local name=${1//-/_} found='not loaded' built_in=
  if [[ -d /sys/module/$name || ! -e /proc/modules ]]; then
    # A kernel without loadable modules has what it has: a parameter that is missing is then named by its own item.
    found=loaded
  else
    IFS= read -r -d '' built_in 2>/dev/null <"/lib/modules/$(</proc/sys/kernel/osrelease)/modules.builtin" || true
    if [[ ${built_in//-/_} == *"/$name.ko"* ]]; then
      found=loaded
    fi
  fi
  if differs "kernel module $1" loaded "$found"; then
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
