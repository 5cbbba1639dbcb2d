#pragma once
// --container-explain: what a container would be made of, and who said so. Nothing is run, nothing
// is mounted.

#include <string>

#include "container/container_options.hpp"

namespace berth::cli {

struct explain_request {
  std::string image;      ///< as the user wrote it
  std::string site_file;  ///< default_site_file: it may be missing
  std::string pin;        ///< the words of --pin; empty: none
  container::container_options options;
  std::string mpi;    ///< of a step: see explain_mpi
  int tasks = 1;      ///< of a step on one node
  bool step = false;  ///< as a step of Slurm would start; else as `berth run` would
  bool json = false;
};

/// Prints it, for the folder, the environment and the machine of the caller. Exit code: 0; 2 with
/// one line for an image or a site file that cannot be used.
int explain(const explain_request& request);

}  // namespace berth::cli
