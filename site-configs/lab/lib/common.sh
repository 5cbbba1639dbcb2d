# shellcheck shell=bash disable=SC2034
# What every verb of `lab` uses: messages, the lab's folder, finding and entering nodes.

LAB_VERSION=0.1.0
USERS=(alice:20001 bob:20002)
SHARED_GROUP=physics:20100

say() { printf 'lab: %s\n' "$*" >&2; }
die() { printf 'lab: error: %s\n' "$*" >&2; exit 1; }
bad_usage() { printf 'lab: error: %s (see lab --help)\n' "$*" >&2; exit 2; }
need_value() { (($# >= 2)) || bad_usage "option '$1' needs a value"; }

# Sets LAB_NAME and STATE, the one folder that holds everything of the lab.
set_lab() {
  [[ $1 =~ ^[a-z0-9][a-z0-9-]{0,30}$ ]] ||
    bad_usage "'$1' is not a lab name: use up to 31 of a-z, 0-9 and '-'"
  LAB_NAME=$1
  STATE=$(realpath -m "${BERTH_LAB_STATE:-/var/lib/berth-lab}")/$1
}

# Options of `up`, from where it was said last: the environment, the last `up` of this lab, the defaults.
load_options() {
  NODES=4 CPUS=$(nproc) BERTH='' CGROUP=none
  # shellcheck disable=SC1091
  if [[ -e $STATE/options ]]; then source "$STATE/options"; fi
  BERTH=${BERTH_LAB_PREFIX:-$BERTH}
}

save_options() {
  printf 'NODES=%q CPUS=%q BERTH=%q CGROUP=%q\n' "$NODES" "$CPUS" "$BERTH" "$CGROUP" >"$STATE/options.new"
  mv "$STATE/options.new" "$STATE/options"
}

# One `up` or `down` of a lab at a time. Every helper inherits the lock, so that it also outlasts a killed
# `up` until its last helper has finished; daemons are started without it: CMD {LOCK}<&-
lock_lab() {
  while :; do
    mkdir -p "$STATE"
    exec {LOCK}<"$STATE"
    flock "$LOCK"
    # Who held it before may have deleted the folder.
    [[ $STATE -ef /proc/self/fd/$LOCK ]] && return
    exec {LOCK}<&-
  done
}

compute_nodes() { seq --format 'n%.0f' 1 "$NODES"; }
all_nodes() { echo ctl login; compute_nodes; }
daemons_of() {
  case $1 in
    ctl) echo munged slurmctld ;;
    login) echo munged ;;
    *) echo munged slurmd ;;
  esac
}

# Each node lives as long as its first process, `bash .../lib/node.sh STATE NODE`. The command line is
# the mark by which it is found, so that no pid file can be stale. Sets HOLDER[node]=pid.
declare -A HOLDER
find_holders() {
  HOLDER=()
  local process argv
  for process in /proc/[0-9]*; do
    [[ -O $process ]] || continue
    { mapfile -d '' -t argv <"$process/cmdline"; } 2>/dev/null || continue
    if ((${#argv[@]} == 4)) && [[ ${argv[0]} == bash && ${argv[1]} == */lib/node.sh &&
      ${argv[2]} == "$STATE" ]]; then
      HOLDER[${argv[3]}]=${process#/proc/}
    fi
  done
}

node_is_ready() { [[ -n ${HOLDER[$1]:-} && -e /proc/${HOLDER[$1]}/root/run/berth-lab/ready ]]; }

# Namespaces of a node as arguments of nsenter, in ENTER.
set_enter() {
  local node=$1
  node_is_ready "$node" || die "lab '$LAB_NAME' has no running node '$node': run 'lab --name $LAB_NAME up'"
  ENTER=(nsenter "--target=${HOLDER[$node]}" --mount --uts --ipc --net --pid --cgroup --wdns=/ --)
  # A namespace of cgroups shows them, it puts nobody into them.
  if [[ -e /proc/${HOLDER[$node]}/root/run/berth-lab/cgroup ]]; then
    # shellcheck disable=SC2016
    ENTER+=(bash -c 'for procs in $(</run/berth-lab/cgroup); do echo 0 >"$procs"; done; exec "$@"' bash)
  fi
}

# The number of the lab's folder tells labs of one name apart.
cgroup_name() { echo "berth-lab-$(stat --format=%i "$STATE")-$1"; }

# The cgroups of a node on the host. The memory controller is left alone: whoever started the lab may be
# limited by it, and stays so.
cgroups_of() {
  [[ $CGROUP == none ]] || printf "/sys/fs/cgroup/%s/$(cgroup_name "$1")\n" freezer cpuset devices
}

in_node() {
  local ENTER
  set_enter "$1"
  "${ENTER[@]}" "${@:2}" </dev/null
}

# A daemon of a node, not of the nodes whose processes the controller's namespace contains.
daemon_pid() {
  [[ -n ${HOLDER[$1]:-} ]] && pgrep --ns "${HOLDER[$1]}" --nslist pid --exact "$2"
}

# Waits until a command succeeds, asking again every 20 ms.
# @pre $1 is the longest time to wait, in seconds
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS <= deadline)) || return 1
    pause 0.02
  done
}

# Sleeps without starting a process.
pause() {
  [[ -n ${PAUSE_FD:-} ]] || exec {PAUSE_FD}<> <(:)
  read -r -t "$1" -u "$PAUSE_FD" || true
}
