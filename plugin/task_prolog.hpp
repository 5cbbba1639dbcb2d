#pragma once
// TaskProlog is the administrator's script of the node: it needs the node's files, and Slurm would
// run it after the task has joined the container. So a process that stays outside runs it with the
// user's rights, and the task applies what it printed; slurm.conf(5), TaskProlog.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "container/identity.hpp"

namespace berth::plugin {

/// Starts the process that stays on the node; it ends with the returned socket. It joins the
/// cgroups of the task, this process, before it runs anything.
/// @pre root, before the task joins the container
result<unique_fd> start_prolog_agent(const container::identity& user);

/// What a TaskProlog asks for, line by line.
struct prolog_effects {
  struct assignment {
    std::string name;
    std::string value;
  };
  std::vector<assignment> exports;  ///< "export NAME=value"
  std::vector<std::string> unsets;  ///< "unset NAME"
  std::string prints;               ///< "print TEXT": the lines for the task's standard output
};
prolog_effects parse_prolog_output(std::string_view output);

struct prolog_outcome {
  int exit_code = 0;
  prolog_effects effects;
};

/// Runs one script through the agent, in `folder`, with the task's environment.
result<prolog_outcome> run_prolog(int agent, const std::string& script, const std::string& folder,
                                  const std::vector<std::string>& environment);

}  // namespace berth::plugin
