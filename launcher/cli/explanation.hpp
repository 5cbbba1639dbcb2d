#pragma once
// What --container-explain has found out, and how it is told.

#include <string>
#include <vector>

#include "cli/explain_mpi.hpp"
#include "cli/explain_pin.hpp"
#include "cli/image_facts.hpp"
#include "container/environment.hpp"
#include "container/plan.hpp"

namespace berth::cli {

struct reasoned {
  std::string what;
  std::string why;
};

struct explanation {
  image_facts image;
  reasoned backend;
  std::vector<container::bind> mounts;
  std::vector<container::environment_edit> environment;
  reasoned workdir;
  reasoned pin;
  pin_plan placement;
  mpi_explanation mpi;
  reasoned entrypoint;
  reasoned user;
  reasoned root;
  std::vector<std::string> warnings;
};

/// For people, one fact a line.
void print_text(const explanation& all);

/// For programs, one JSON object.
void print_json(const explanation& all);

}  // namespace berth::cli
