# shellcheck shell=bash
# `lab status`: nodes, their daemons and what Slurm thinks of them.

declare -A SLURM_STATE
ask_slurm() {
  local line daemon
  node_is_ready ctl || return 0
  # Without one of these, sinfo would only wait for it.
  for daemon in $(daemons_of ctl); do daemon_pid ctl "$daemon" >/dev/null || return 0; done
  while read -r line; do SLURM_STATE[${line%%=*}]=${line#*=}; done < <(
    in_node ctl timeout 10 sinfo --noheader --Node --partition=main --format='%N=%T' 2>/dev/null)
}

# One line "NODE STATE SLURM DAEMON=PID..." per node; PID is - for a daemon that does not run.
# Returns 1 if anything is missing.
describe_nodes() {
  local node daemon pid state slurm well=0
  for node in $(all_nodes); do
    state=up slurm=-
    node_is_ready "$node" || state=down
    [[ $node == n* ]] && slurm=${SLURM_STATE[$node]:-unknown}
    case $state/$slurm in
      up/- | up/idle | up/mixed | up/allocated | up/completing) ;;
      *) well=1 ;;
    esac
    printf '%s %s %s' "$node" "$state" "$slurm"
    for daemon in $(daemons_of "$node"); do
      pid=$(daemon_pid "$node" "$daemon" | head -n 1) || well=1
      printf ' %s=%s' "$daemon" "${pid:--}"
    done
    echo
  done
  return "$well"
}

as_table() {
  awk 'BEGIN { printf "%-7s %-5s %-10s %s\n", "NODE", "STATE", "SLURM", "DAEMONS (pid)" }
    { printf "%-7s %-5s %-10s", $1, $2, $3; for (i = 4; i <= NF; i++) printf " %s", $i; print "" }'
}

as_json() {
  # shellcheck disable=SC2153
  awk -v name="$LAB_NAME" -v state="$STATE" -v well="$1" '
    BEGIN { printf "{\"name\": \"%s\", \"folder\": \"%s\", \"well\": %s, \"nodes\": [", name, state, well }
    {
      printf "%s\n  {\"name\": \"%s\", \"state\": \"%s\", \"slurm\": %s, \"daemons\": {", (NR > 1 ? "," : ""), $1, $2,
        ($3 == "-" ? "null" : "\"" $3 "\"")
      for (i = 4; i <= NF; i++) {
        split($i, pair, "=")
        printf "%s\"%s\": %s", (i > 4 ? ", " : ""), pair[1], (pair[2] == "-" ? "null" : pair[2])
      }
      printf "}}"
    }
    END { print "\n]}" }'
}

lab_status() {
  local json='' well=true description
  while (($#)); do
    case $1 in
      --json) json=yes; shift ;;
      *) bad_usage "status: unknown argument '$1'" ;;
    esac
  done
  load_options
  find_holders
  ask_slurm
  description=$(describe_nodes) || well=false
  if [[ -n $json ]]; then
    as_json "$well" <<<"$description"
  else
    if ((${#HOLDER[@]})); then echo "lab '$LAB_NAME' in $STATE"; else echo "lab '$LAB_NAME' is not running"; fi
    as_table <<<"$description"
  fi
  [[ $well == true ]]
}
