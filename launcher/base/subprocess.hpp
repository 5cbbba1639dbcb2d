#pragma once
// Running other programs without a shell: an argument vector, an explicit environment, a wait.

#include <string>
#include <vector>

#include "base/error.hpp"

namespace berth {

struct command {
  std::vector<std::string> argv;  ///< argv[0] is a path, or a name looked up in PATH
  std::vector<std::string> env;   ///< "NAME=value"; used as it is, nothing is inherited
  std::string input;              ///< given to the program on standard input
};

struct outcome {
  int exit_code = 0;  ///< as a shell reports it: 128 + signal for a program ended by a signal
  std::string out;    ///< everything from standard output
  std::string err;    ///< everything from standard error
};

/// Runs to the end and collects both outputs (at most 64 MiB together). A program that fails is not
/// an error here: see exit_code. Errors: cannot start it, or it prints too much.
result<outcome> run(const command& what);

/// The environment of this process, for commands that should inherit it.
std::vector<std::string> current_environment();

/// As run, but a non-zero exit is an error that quotes the program's last line of error output.
result<std::string> run_ok(const command& what);

}  // namespace berth
