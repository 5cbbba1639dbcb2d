# shellcheck shell=bash
# `lab down`: the kernel ends a node's processes, mounts and network with the node's first process.

process_is_gone() { [[ ! -e /proc/$1 ]]; }

# Ends the first process of a node, and with it the node; returns when both it and the process that
# waits for it (unshare) are gone.
end_process() {
  local parent
  parent=$(awk '/^PPid:/ { print $2 }' "/proc/$1/status" 2>/dev/null) || return 0
  kill -KILL "$1" 2>/dev/null || true
  wait_until 30 process_is_gone "$1" || die "process $1 of lab '$LAB_NAME' does not end"
  if [[ $(tr '\0' ' ' <"/proc/$parent/cmdline") == unshare\ * ]] 2>/dev/null; then
    wait_until 30 process_is_gone "$parent" || die "process $parent of lab '$LAB_NAME' does not end"
  fi
}

# Loop devices on images in the lab's folders.
loop_devices() {
  local device inode numbers disk
  disk=$(stat --format=%Hd:%Ld "$STATE")
  while read -r device inode numbers; do
    if [[ $numbers == "$disk" && -n $(find "$STATE/home" "$STATE/images" -inum "$inode" -print -quit) ]]; then
      echo "$device"
    fi
  done < <(losetup --list --noheadings --output NAME,BACK-INO,BACK-MAJ:MIN)
}

no_loop_device() { [[ -z $(loop_devices) ]]; }

# Loop devices end with the mount of their image, unless they were set up without autoclear.
end_loop_devices() {
  [[ -d $STATE/home && -d $STATE/images ]] || return 0
  wait_until 1 no_loop_device && return
  local device
  for device in $(loop_devices); do losetup --detach "$device"; done
  wait_until 10 no_loop_device || die "loop devices stay: $(loop_devices | tr '\n' ' ')"
}

# Cgroups outlive the processes in them.
cgroups_are_gone() {
  local hierarchies left
  mapfile -t hierarchies < <(findmnt --noheadings --types cgroup,cgroup2 --output TARGET)
  ((${#hierarchies[@]})) || return 0
  mapfile -t left < <(find "${hierarchies[@]}" -maxdepth 1 -type d -name "$(cgroup_name '*')")
  ((${#left[@]} == 0)) || find "${left[@]}" -depth -type d -exec rmdir {} + 2>/dev/null
}

end_lab() {
  local node
  find_holders
  # The controller first: its pid namespace holds the others.
  for node in ctl "${!HOLDER[@]}"; do
    if [[ -n ${HOLDER[$node]:-} ]]; then end_process "${HOLDER[$node]}"; fi
  done
  HOLDER=()
  wait_until 10 cgroups_are_gone || die "cgroups of lab '$LAB_NAME' stay: $(cgroup_name '*')"
  end_loop_devices
}

lab_down() {
  local purge=
  while (($#)); do
    case $1 in
      --purge) purge=yes; shift ;;
      *) bad_usage "down: unknown argument '$1'" ;;
    esac
  done
  end_lab
  if [[ -n $purge ]]; then
    rm -rf "$STATE"
    say "lab '$LAB_NAME' is down, its folder is deleted"
  else
    rm -rf "${STATE:?}/etc"
    rmdir --ignore-fail-on-non-empty "$STATE"
    say "lab '$LAB_NAME' is down; home folders and logs stay in $STATE"
  fi
}
