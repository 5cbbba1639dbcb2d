#!/bin/bash
# The first process of a virtual node: turns fresh namespaces into a node, then reaps orphans for ever.
# Everything of the node (processes, mounts, network) ends with this process.
# Started by up.sh as `bash node.sh STATE NODE` in new mount, UTS, IPC, network and pid namespaces.
set -euo pipefail

STATE=$1
NODE=$2

# The line by which up.sh knows that it need not wait.
trap 'echo "set-up of $NODE failed" >&2' EXIT

# shellcheck disable=SC1091
source "$STATE/options"

# Shows a folder of the host with changes that stay on this node.
layer() {
  local store=/run/berth-lab/layer$1
  mkdir -p "$store/upper" "$store/work"
  mount -t overlay -o "lowerdir=$1,upperdir=$store/upper,workdir=$store/work" overlay "$1"
}

bind() {
  mkdir -p "$2"
  mount --bind "$1" "$2"
}

own_devices() {
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm
  # As udev sets it up on a usual machine: every user may serve file systems in FUSE.
  mknod -m 666 /run/berth-lab/fuse c 10 229
  if [[ -e /dev/fuse ]]; then mount --bind /run/berth-lab/fuse /dev/fuse; fi
}

own_etc() {
  layer /etc
  cp --preserve=mode,ownership "$STATE"/etc/{passwd,group,shadow,hosts} /etc/
  echo "$NODE" >/etc/hostname
  printf '%s: files\n' passwd group shadow >/etc/nsswitch.conf
  echo 'hosts: files' >>/etc/nsswitch.conf
  mkdir -p /etc/profile.d
  cat >/etc/profile.d/berth-lab.sh <<'TEXT'
case :$PATH: in *:/opt/berth/bin:*) ;; *) PATH=/opt/berth/bin:$PATH ;; esac
TEXT
}

# Folders of the lab that all nodes share, as a cluster's network file system would, and its own logs.
shared_folders() {
  layer /opt
  layer /srv
  if [[ -n $BERTH ]]; then
    bind /run/berth-lab/prefix /opt/berth
    mount -o remount,bind,ro /opt/berth
  fi
  bind "$STATE/etc/slurm" /etc/slurm
  bind "$STATE/etc/munge" /etc/munge
  bind "$STATE/etc/berth" /etc/berth
  bind "$STATE/images" /srv/images
  bind "$STATE/home" /home
  bind "$STATE/log/$NODE" /var/log
}

own_folders() {
  mount -t tmpfs -o mode=755 tmpfs /var/spool
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /tmp
  install -d -o slurm -g slurm /var/spool/slurmctld /run/slurm
  install -d -o munge -g munge /run/munge
  install -d /var/spool/slurmd
}

# What the node's cgroup namespace shows: the node's own cgroup as the root of each hierarchy.
own_cgroups() {
  local hierarchy
  [[ $CGROUP != none ]] || return 0
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  for hierarchy in freezer cpuset devices; do
    mkdir "/sys/fs/cgroup/$hierarchy"
    mount -t cgroup -o "$hierarchy" cgroup "/sys/fs/cgroup/$hierarchy"
  done
  # Where a process goes that enters the node.
  find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs >/run/berth-lab/cgroup
}

network() {
  hostname "$NODE"
  ip link set lo up
  if [[ $NODE == ctl ]]; then
    # The cluster's switch lives in the controller's namespace: nothing of it is on the host, and labs
    # cannot collide. The other nodes are plugged in by up.sh.
    ip link add br0 type bridge
    ip address add "$(awk '$2 == "ctl" { print $1 }' "$STATE/etc/hosts")/16" dev br0
    ip link set br0 up
  fi
}

# The host's mount tree is private here: no mount leaks out. From the end of the set-up on it is shared
# within the node, as systemd has it on a usual one.
mount -t proc -o nosuid,nodev,noexec proc /proc
# The lab's folders are held where no mount of the node hides them, wherever on the host they are.
mount -t tmpfs -o mode=755,nosuid tmpfs /mnt
mkdir -p /mnt/lock /mnt/mount /mnt/user /mnt/berth-lab/{state,prefix}
mount --bind "$STATE" /mnt/berth-lab/state
if [[ -n $BERTH ]]; then mount --bind "$BERTH" /mnt/berth-lab/prefix; fi
mount --move /mnt /run
STATE=/run/berth-lab/state

own_devices
own_cgroups
own_etc
network
shared_folders
own_folders
umount /run/berth-lab/state
if [[ -n $BERTH ]]; then umount /run/berth-lab/prefix; fi
mount --make-rshared /
cd /
touch /run/berth-lab/ready
trap - EXIT

while :; do
  sleep infinity &
  wait "$!" || true
done
