#pragma once
// Runs the real programs and keeps what a user would see.

#include <string>
#include <vector>

#include "temporary_folder.hpp"

namespace berth::apps {

struct outcome {
  int code = 0;
  std::string out;
  std::string err;
};

/// Runs `arguments` in `folder` (the output stays there in hidden files until it is read).
/// `ranks` of 0 starts the program directly, without mpirun.
outcome run_program(const temporary_folder& folder, const std::vector<std::string>& arguments,
                    int ranks = 0);

/// Lines of `text` that begin with `prefix`.
std::vector<std::string> lines_with(const std::string& text, const std::string& prefix);

}  // namespace berth::apps
