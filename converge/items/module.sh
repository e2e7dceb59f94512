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
    modprobe -- "$1"
  fi
}
