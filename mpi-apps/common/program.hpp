#pragma once
// The skeleton that train, predict and dataset share: options, exit codes, one error line.

#include <functional>
#include <optional>
#include <string>

#include "common/error.hpp"
#include "common/mpi.hpp"

namespace CLI {
class App;
}

namespace berth::apps {

/// The project's version, "0.1.0".
const char* version();

/// Options of every program.
struct common_options {
  bool json = false;
  bool verbose = false;
};
void add_common_options(CLI::App& app, common_options& options);

/// Parses the command line. Returns the exit code when the program should end now: 0 after --help
/// and --version, 2 after a usage error. Only the first rank of a job prints.
std::optional<int> parse_command_line(CLI::App& app, int argc, char** argv);

/// Prints "program: error: text" on stderr and returns the exit code.
int report_failure(const std::string& program, const error& why);

/// Runs `body` under MPI and returns the exit code. Errors of `body` are agreed: every rank has
/// the same, rank 0 prints it. An exception ends the whole job with exit code 1.
int run_under_mpi(const std::string& program, int argc, char** argv,
                  const std::function<result<void>(const communicator&)>& body);

/// As run_under_mpi() when a launcher started several ranks; else without MPI, on
/// communicator::alone(), and without the third of a second that starting MPI costs.
int run_parallel(const std::string& program, int argc, char** argv,
                 const std::function<result<void>(const communicator&)>& body);

/// Runs `body` without MPI and returns the exit code. A job step of several ranks is refused: each
/// would do the same work and write the same file.
int run_alone(const std::string& program, const std::function<result<void>()>& body);

}  // namespace berth::apps
