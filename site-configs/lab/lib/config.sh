# shellcheck shell=bash
# Writes what the nodes see in /etc: users, hosts, Slurm, munge, Berth. Sourced by up.sh.

# Adds lines to a copy of a host's account file, in place of lines of the same names.
# merge_accounts FILE MODE LINE...
merge_accounts() {
  local file=$1 mode=$2 line
  shift 2
  local names=''
  for line; do names+="${line%%:*}|"; done
  {
    grep --extended-regexp --invert-match "^(${names%|}):" "/etc/$file"
    printf '%s\n' "$@"
  } >"$STATE/etc/$file"
  chmod "$mode" "$STATE/etc/$file"
}

write_accounts() {
  local entry passwd=() group=() shadow=() members=''
  for entry in "${USERS[@]}"; do
    local user=${entry%:*} id=${entry#*:}
    passwd+=("$user:x:$id:$id:$user of the lab:/home/$user:/bin/bash")
    group+=("$user:x:$id:")
    shadow+=("$user:*:19000:0:99999:7:::")
    members+="$user,"
    if [[ ! -d $STATE/home/$user ]]; then
      install -d -m 700 -o "$id" -g "$id" "$STATE/home/$user"
    fi
  done
  group+=("${SHARED_GROUP%:*}:x:${SHARED_GROUP#*:}:${members%,}")
  merge_accounts passwd 644 "${passwd[@]}"
  merge_accounts group 644 "${group[@]}"
  merge_accounts shadow 640 "${shadow[@]}"
  chgrp shadow "$STATE/etc/shadow"
}

address_of() {
  case $1 in
    ctl) echo 10.77.0.1 ;;
    login) echo 10.77.0.2 ;;
    *) echo "10.77.1.${1#n}" ;;
  esac
}

write_hosts() {
  local node
  echo '127.0.0.1 localhost'
  for node in $(all_nodes); do echo "$(address_of "$node") $node"; done
}

# Every time limit is generous: a busy machine must not look like a broken node.
write_slurm_conf() {
  local memory task_plugin=task/affinity tracking=linuxproc
  # Slurm refuses to bind tasks to CPUs that the machine has not.
  if ((CPUS > $(nproc))); then task_plugin=task/none; fi
  if [[ $CGROUP != none ]]; then tracking=cgroup task_plugin=task/cgroup,$task_plugin; fi
  memory=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
  cat <<TEXT
ClusterName=$LAB_NAME
SlurmctldHost=ctl
SlurmUser=slurm
AuthType=auth/munge
CredType=cred/munge

MpiDefault=pmix
ProctrackType=proctrack/$tracking
TaskPlugin=$task_plugin
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
LaunchParameters=use_interactive_step
PlugStackConfig=/etc/slurm/plugstack.conf
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none

StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldPidFile=/run/slurm/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
SlurmctldDebug=info
SlurmdDebug=info

SlurmdParameters=config_overrides
ReturnToService=2
InactiveLimit=0
KillWait=5
MessageTimeout=60
BatchStartTimeout=60
SlurmctldTimeout=120
SlurmdTimeout=300
UnkillableStepTimeout=300
MinJobAge=300
SchedulerParameters=batch_sched_delay=0

NodeName=n[1-$NODES] CPUs=$CPUS Boards=1 SocketsPerBoard=1 CoresPerSocket=$CPUS ThreadsPerCore=1 RealMemory=$memory
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE OverSubscribe=NO
PartitionName=debug Nodes=ALL Default=NO MaxTime=30 OverSubscribe=FORCE
TEXT
}

# A rank can leave the last fence of MPI_Init while another is not ready to receive yet; the message then
# ends that one with a segmentation fault. Measured with 8 ranks on 4 nodes: default (mixed) or tree 8 of
# 119 runs, ring 0 of 210.
write_mpi_conf() { echo 'PMIxCollFence=ring'; }

write_cgroup_conf() {
  printf '%s\n' CgroupPlugin=cgroup/v1 ConstrainCores=yes ConstrainDevices=yes
}

# The plugin's path within the install tree.
find_plugin() {
  local plugin
  plugin=$(cd "$BERTH" && find . -name spank_berth.so -print -quit)
  [[ -n $plugin ]] || die "'$BERTH' holds no spank_berth.so: install Berth there (cmake --install) or leave out --berth"
  echo "${plugin#./}"
}

# Empty without an install tree: Slurm then runs as it comes.
write_plugstack_conf() {
  local plugin
  [[ -n $BERTH ]] || return 0
  plugin=$(find_plugin)
  echo "required /opt/berth/$plugin site=/etc/berth/site.lua helper=/opt/berth/libexec/berth/berth-node"
}

write_configuration() {
  install -d "$STATE"/{etc,home,images,log} "$STATE"/etc/{slurm,berth}
  install -d -m 700 -o munge -g munge "$STATE/etc/munge"
  local node
  for node in $(all_nodes); do
    install -d "$STATE/log/$node"
    install -d -o slurm -g slurm "$STATE/log/$node/slurm"
    install -d -m 700 -o munge -g munge "$STATE/log/$node/munge"
  done
  write_accounts
  write_hosts >"$STATE/etc/hosts"
  write_slurm_conf >"$STATE/etc/slurm/slurm.conf"
  write_mpi_conf >"$STATE/etc/slurm/mpi.conf"
  if [[ $CGROUP != none ]]; then write_cgroup_conf >"$STATE/etc/slurm/cgroup.conf"; fi
  write_plugstack_conf >"$STATE/etc/slurm/plugstack.conf"
  install -m 644 "$LAB_DIR/site.lua" "$STATE/etc/berth/site.lua"
  if [[ ! -s $STATE/etc/munge/munge.key ]]; then
    (umask 077 && head --bytes=1024 /dev/urandom >"$STATE/etc/munge/munge.key")
    chown munge:munge "$STATE/etc/munge/munge.key"
  fi
}
