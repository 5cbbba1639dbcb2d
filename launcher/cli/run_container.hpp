#pragma once
// The container of `berth run`: made by its user alone, in user namespaces.

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "binding/site_process.hpp"
#include "cli/run_save.hpp"
#include "container/container_options.hpp"

namespace berth::cli {

struct run_options {
  std::string image;
  std::vector<std::string> command;
  std::string site_file = lua::default_site_file;
  std::string pin;
  std::string explain;       ///< "text" or "json", "true" without a value; empty: run the command
  bool step = false;         ///< explain what a step of Slurm would get
  std::string mpi;           ///< and what Slurm offers to its MPI
  int tasks = 1;             ///< and how many tasks of it run on a node
  container::choices given;  ///< of the container's options, on the command line
  container::container_options container;  ///< understood, with what the environment says
  std::optional<run_save> save;            ///< where the container is to be written at its end
};

/// The value of a variable of the environment, or nothing.
std::optional<std::string> variable(const std::string& name);

/// Makes the container and is in it afterwards, in the working directory, with the environment and
/// without any privilege. With an entrypoint, `options.command` begins with its words.
result<void> enter_container(run_options& options);

}  // namespace berth::cli
