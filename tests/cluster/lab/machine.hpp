#pragma once
// What this machine runs and has mounted, read from /proc and /sys.

#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

namespace berth::test {

/// All process ids of now, without zombies (whose only trace is the entry itself).
std::vector<pid_t> processes();

/// Arguments of a process; empty when it is gone or belongs to the kernel.
std::vector<std::string> arguments_of(pid_t process);

/// Namespaces of a process as the kernel names them, "net:[4026531833]"; empty when it is gone.
std::set<std::string> namespaces_of(pid_t process);

/// Processes that share a pid, network, mount, IPC or UTS namespace with one of the given set.
std::vector<pid_t> processes_in(const std::set<std::string>& namespaces);

std::set<std::string> network_links();
std::set<std::string> mounts();

/// Files behind the loop devices in use.
std::set<std::string> loop_files();

}  // namespace berth::test
