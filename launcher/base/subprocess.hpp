#pragma once
// Running other programs without a shell: an argument vector, an explicit environment, a wait.

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

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

/// A program that is given its input piece by piece. Destroyed before `finish`, it is killed.
class fed_program {
 public:
  /// `what.input` is not used. Errors as of run.
  static result<fed_program> start(const command& what);
  fed_program(fed_program&& other) noexcept
      : name_(std::move(other.name_)),
        input_(std::move(other.input_)),
        output_(std::move(other.output_)),
        pid_(std::exchange(other.pid_, -1)) {}
  fed_program& operator=(fed_program&&) = delete;
  ~fed_program();

  /// Its standard input, to write to: EPIPE or SIGPIPE when it ended early.
  [[nodiscard]] int input() const noexcept { return input_.get(); }
  /// Ends the input and waits. Error: a non-zero exit, as run_ok.
  result<void> finish();

 private:
  fed_program(std::string name, unique_fd input, unique_fd output, int pid)
      : name_(std::move(name)), input_(std::move(input)), output_(std::move(output)), pid_(pid) {}
  std::string name_;
  unique_fd input_;
  unique_fd output_;  // what it prints, in memory
  int pid_;
};

}  // namespace berth
