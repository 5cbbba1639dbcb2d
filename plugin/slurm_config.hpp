#pragma once
// The few values of slurm.conf that the plugin needs, read from the configuration that the Slurm
// process around us has loaded already (`slurm_conf`, laid out by <slurm/slurm.h>).

#include <string>
#include <vector>

namespace berth::plugin {

/// SlurmdSpoolDir with %n and %h replaced; empty when unknown.
std::string spool_folder(const std::string& node_name);

/// The path of slurm.conf.
std::string slurm_conf_file();

/// TaskProlog: the administrator's scripts that run before each task.
std::vector<std::string> task_prologs();

/// Keeps Slurm from running TaskProlog itself in this process (the task, forked already).
void forget_task_prologs();

/// Where Slurm's plugins are, the first folder of PluginDir; empty when unknown.
std::string plugin_folder();

/// MpiDefault; "none" when unknown.
std::string default_mpi();

/// Whether an oci.conf lies beside slurm.conf: Slurm then handles --container itself.
bool has_oci_conf();

}  // namespace berth::plugin
