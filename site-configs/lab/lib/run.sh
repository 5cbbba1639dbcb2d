# shellcheck shell=bash
# `lab run`: a command on a node, in the environment that a login there has.

lab_run() {
  local user=alice node=login folder=
  while (($#)); do
    case $1 in
      --user) need_value "$@"; user=$2; shift 2 ;;
      --node) need_value "$@"; node=$2; shift 2 ;;
      --chdir) need_value "$@"; folder=$2; shift 2 ;;
      --user=* | --node=* | --chdir=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
      -h | --help) usage; exit 0 ;;
      --) shift; break ;;
      -*) bad_usage "run: unknown option '$1'" ;;
      *) break ;;
    esac
  done
  (($#)) || set -- bash -l
  find_holders
  local ENTER
  set_enter "$node"
  grep --quiet "^$user:" "$STATE/etc/passwd" || die "no user '$user' in the lab: use alice, bob or root"

  local path=/opt/berth/bin:/usr/local/bin:/usr/bin:/bin
  if [[ $user == root ]]; then path=/opt/berth/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; fi
  local keep=("PATH=$path") name
  for name in TERM LANG COLORTERM; do
    if [[ -n ${!name:-} ]]; then keep+=("$name=${!name}"); fi
  done
  # pdeathsig: who ends this process ends the command, not only the one that waits for it.
  exec "${ENTER[@]}" setpriv "--reuid=$user" "--regid=$user" --init-groups --pdeathsig=TERM --reset-env \
    env "${keep[@]}" bash -c "$enter_folder" bash "$folder" "$PWD" "$@"
}

# Runs on the node: FOLDER CURRENT CMD...
# shellcheck disable=SC2016
enter_folder='
if [[ -n $1 ]]; then
  cd -- "$1" || exit 1
else
  cd -- "$2" 2>/dev/null || cd || cd /
fi
shift 2
unset OLDPWD
exec "$@"'
