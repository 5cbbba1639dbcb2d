# shellcheck shell=bash
# `lab up`: every step looks at what is there and does the rest, so that the same code starts a lab,
# finishes a half-started one and repairs a broken one.
# shellcheck source=config.sh
source "$LAB_LIB/config.sh"
# shellcheck source=down.sh
source "$LAB_LIB/down.sh"

# Reads the options of `up` into NODES, CPUS, BERTH and CGROUP, over those of the running lab.
parse_up() {
  load_options
  while (($#)); do
    case $1 in
      --nodes) need_value "$@"; NODES=$2; shift 2 ;;
      --cpus) need_value "$@"; CPUS=$2; shift 2 ;;
      --berth) need_value "$@"; BERTH=$2; shift 2 ;;
      --cgroup) need_value "$@"; CGROUP=$2; shift 2 ;;
      --nodes=* | --cpus=* | --berth=* | --cgroup=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
      *) bad_usage "up: unknown argument '$1'" ;;
    esac
  done
  [[ $NODES =~ ^[1-9][0-9]?$ ]] || bad_usage "--nodes takes a number from 1 to 99, not '$NODES'"
  [[ $CPUS =~ ^[1-9][0-9]{0,2}$ ]] || bad_usage "--cpus takes a number from 1 to 999, not '$CPUS'"
  [[ $CGROUP =~ ^(none|v1)$ ]] || bad_usage "--cgroup takes none or v1, not '$CGROUP'"
  if [[ -n $BERTH ]]; then
    [[ -d $BERTH ]] || die "no folder '$BERTH' (--berth)"
    BERTH=$(realpath "$BERTH")
    find_plugin >/dev/null
  fi
}

check_programs() {
  local program missing=()
  for program in slurmctld slurmd munged srun ip nsenter unshare setpriv; do
    type -P "$program" >/dev/null || missing+=("$program")
  done
  ((${#missing[@]} == 0)) || die "missing programs: ${missing[*]}: install the Debian packages slurmctld, slurmd, slurm-client, slurm-wlm-basic-plugins, munge, iproute2"
}

# A cgroup of its own in each hierarchy, for the node to take as the root of all.
make_cgroups() {
  local cgroup knob
  for cgroup; do
    mkdir -p "$cgroup" || die "cannot make '$cgroup': does this machine have cgroups $CGROUP? (--cgroup)"
    # Empty at first in version 1, and nothing can run on no CPU.
    for knob in "$cgroup"/cpuset.{cpus,mems}; do
      if [[ -e $knob ]]; then cat "${cgroup%/*}/${knob##*/}" >"$knob"; fi
    done
  done
}

start_node() {
  local node=$1 nested=() cgroups
  cgroups=$(cgroups_of "$node")
  # shellcheck disable=SC2086
  make_cgroups $cgroups
  # Compute nodes are children of the controller's pid namespace: the kernel ends them with it.
  if [[ $node != ctl ]]; then nested=(nsenter "--target=${HOLDER[ctl]}" --pid); fi
  # The root that a namespace of cgroups shows is the cgroup of who makes it.
  # shellcheck disable=SC2016
  BERTH_LAB=$LAB_NAME "${nested[@]}" bash -c '
    for cgroup in $1; do echo 0 >"$cgroup/cgroup.procs" || exit; done
    shift
    exec "$@"' bash "$cgroups" \
    setsid --fork unshare --mount --uts --ipc --net --pid --cgroup --fork \
    --kill-child --propagation private bash "$LAB_LIB/node.sh" "$STATE" "$node" \
    </dev/null >"$STATE/log/$node/node.log" 2>&1 {LOCK}<&-
}

all_settled() {
  local node
  find_holders
  for node; do
    node_is_ready "$node" || [[ $(<"$STATE/log/$node/node.log") == *"set-up of $node failed" ]] || return 1
  done
}

start_nodes() {
  local node started=()
  for node; do
    if ! node_is_ready "$node"; then
      # A first process that is not ready is left of an interrupted start: nobody waits for it any more.
      if [[ -n ${HOLDER[$node]:-} ]]; then end_process "${HOLDER[$node]}"; fi
      start_node "$node"
      started+=("$node")
    fi
  done
  wait_until 30 all_settled "${started[@]}" || true
  for node in "${started[@]}"; do
    node_is_ready "$node" ||
      die "node '$node' did not start: $(head -n 1 "$STATE/log/$node/node.log") (see lab --name $LAB_NAME logs $node)"
  done
}

# Plugs a node into the controller's switch, unless it is.
connect_node() {
  local node=$1 holder=${HOLDER[$1]} switch=(nsenter "--target=${HOLDER[ctl]}" --net ip)
  local inside=(nsenter "--target=$holder" --net ip)
  if [[ $("${inside[@]}" -brief -4 address show up 2>/dev/null) == *"$(address_of "$node")/"* &&
    $("${switch[@]}" -oneline link show master br0 up) == *": $node@"* ]]; then return; fi
  "${switch[@]}" link delete "$node" 2>/dev/null || true
  # A replaced node keeps its hardware address: the others remember it for half a minute.
  local octets
  IFS=. read -r -a octets <<<"$(address_of "$node")"
  "${switch[@]}" -batch - <<TEXT
link add name $node type veth peer name eth0 address $(printf '02:00:%02x:%02x:%02x:%02x' "${octets[@]}") netns $holder
link set $node master br0 up
TEXT
  "${inside[@]}" -batch - <<TEXT
address add $(address_of "$node")/16 dev eth0
link set eth0 up
TEXT
}

start_daemons() {
  local node=$1 daemon
  for daemon in $(daemons_of "$node"); do
    daemon_pid "$node" "$daemon" >/dev/null && continue
    # As systemd would start them. --force: a socket that a killed munged left is no reason to stop.
    case $daemon in
      munged) in_node "$node" setpriv --reuid=munge --regid=munge --init-groups \
        munged --force --seed-file=/run/munge/munged.seed ;;
      slurmctld) in_node "$node" setpriv --reuid=slurm --regid=slurm --init-groups slurmctld ;;
      slurmd) in_node "$node" slurmd ;;
    esac >>"$STATE/log/$node/start.log" 2>&1 {LOCK}<&- ||
      die "$daemon on '$node' did not start: $(tail -n 1 "$STATE/log/$node/start.log") (see lab --name $LAB_NAME logs $node)"
  done
}

start_daemons_everywhere() {
  local node jobs=() job
  start_daemons ctl
  wait_until 30 controller_answers || die "slurmctld does not answer: see lab --name $LAB_NAME logs ctl"
  for node in login $(compute_nodes); do
    start_daemons "$node" &
    jobs+=("$!")
  done
  for job in "${jobs[@]}"; do wait "$job" || exit 1; done
}

controller_answers() { in_node ctl scontrol ping 2>/dev/null | grep --quiet ' is UP'; }

# Nodes that take no job now, as "n2=down ...".
lazy_nodes() {
  in_node ctl sinfo --noheader --Node --partition=main --format='%N=%T' |
    grep --extended-regexp --invert-match '=(idle|mixed|allocated|completing)$' || true
}

every_node_works() {
  local lazy
  lazy=$(lazy_nodes)
  [[ -z $lazy ]] && return
  # What an earlier accident did to a node is forgotten: its daemons have been started again.
  local node
  for node in $lazy; do
    case ${node#*=} in
      *unk* | *'*') ;;
      *) in_node ctl scontrol update "nodename=${node%%=*}" state=resume 2>/dev/null || true ;;
    esac
  done
  return 1
}

lab_up() {
  local running_options
  check_programs
  parse_up "$@"
  running_options=$(cat "$STATE/options" 2>/dev/null || true)
  save_options
  find_holders
  if [[ ${#HOLDER[@]} -gt 0 && $(<"$STATE/options") != "$running_options" ]]; then
    say "restarting lab '$LAB_NAME' with other options"
    end_lab
  fi
  write_configuration
  start_nodes ctl
  mapfile -t nodes < <(all_nodes | tr ' ' '\n' | grep --invert-match ctl)
  start_nodes "${nodes[@]}"
  for node in "${nodes[@]}"; do connect_node "$node"; done
  start_daemons_everywhere
  wait_until 60 every_node_works ||
    die "nodes do not become idle: $(lazy_nodes | tr '\n' ' ')(see lab --name $LAB_NAME logs)"
  say "lab '$LAB_NAME' is up: $NODES nodes of $CPUS CPUs; try: lab --name $LAB_NAME run srun -N$NODES hostname"
}
