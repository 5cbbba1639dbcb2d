# shellcheck shell=bash
# `lab logs`: the logs of all nodes lie in the lab's folder, also after the lab has ended.

lab_logs() {
  local what='' follow=()
  while (($#)); do
    case $1 in
      -f | --follow) follow=(--follow=name --retry); shift ;;
      -*) bad_usage "logs: unknown option '$1'" ;;
      *) [[ -z $what ]] || bad_usage "logs: one daemon or node at a time"; what=$1; shift ;;
    esac
  done
  [[ -d $STATE/log ]] || die "lab '$LAB_NAME' has no logs: start it with 'lab --name $LAB_NAME up'"
  shopt -s nullglob
  local files=()
  if [[ -z $what ]]; then
    files=("$STATE"/log/*/*.log "$STATE"/log/*/*/*.log)
  elif [[ -d $STATE/log/$what ]]; then
    files=("$STATE/log/$what"/*.log "$STATE/log/$what"/*/*.log)
  else
    files=("$STATE"/log/*/*/"$what.log")
  fi
  ((${#files[@]})) || die "lab '$LAB_NAME' has no log of '$what': name slurmctld, slurmd, munged or a node"
  exec tail --verbose --lines=100 "${follow[@]}" "${files[@]}"
}
