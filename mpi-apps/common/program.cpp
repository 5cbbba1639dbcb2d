#include "common/program.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <sstream>

#include "common/hdf5.hpp"

namespace berth::apps {

namespace {

constexpr int failed = 1;
constexpr int usage = 2;

int number_from(std::initializer_list<const char*> variables, int otherwise) {
  for (const char* name : variables) {
    if (const char* value = std::getenv(name)) return std::atoi(value);
  }
  return otherwise;
}

// Before MPI_Init the launcher's environment is all there is.
int launched_rank() {
  return number_from({"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"}, 0);
}
int launched_size() {
  return number_from({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}, 1);
}

}  // namespace

const char* version() {
  return BERTH_VERSION;
}

void add_common_options(CLI::App& app, common_options& options) {
  app.add_flag("--json", options.json, "Print the results as JSON on stdout, all else on stderr");
  app.add_flag("-v,--verbose", options.verbose, "Print where each rank runs and how it reads");
}

std::optional<int> parse_command_line(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& outcome) {
    const bool wrong = outcome.get_exit_code() != 0;
    if (launched_rank() != 0) return wrong ? usage : 0;
    if (wrong) {
      std::cerr << fmt::format("{}: error: {}; see {} --help\n", app.get_name(), outcome.what(),
                               app.get_name());
      return usage;
    }
    return app.exit(outcome, std::cout, std::cerr);
  }
}

int report_failure(const std::string& program, const error& why) {
  std::cout.flush();
  std::cerr << fmt::format("{}: error: {}\n", program, why.text());
  return why.exit_code();
}

int run_under_mpi(const std::string& program, int argc, char** argv,
                  const std::function<result<void>(const communicator&)>& body) {
  try {
    const mpi_session session(argc, argv);
    prepare_hdf5();
    const auto comm = communicator::of_world();
    // Each rank would be a job of its own and write the same files.
    if (const int ranks = launched_size(); comm.size() == 1 && ranks > 1) {
      const error why(fmt::format("started with {} ranks, but MPI joins none of them; with srun, "
                                  "add --mpi=pmix",
                                  ranks));
      return launched_rank() == 0 ? report_failure(program, why) : usage;
    }
    const auto outcome = body(comm);
    if (outcome) return 0;
    return comm.is_root() ? report_failure(program, outcome.error()) : outcome.error().exit_code();
  } catch (const std::exception& unexpected) {
    std::cerr << fmt::format("{}: error: {}\n", program, unexpected.what());
    MPI_Abort(MPI_COMM_WORLD, failed);
    return failed;
  }
}

int run_parallel(const std::string& program, int argc, char** argv,
                 const std::function<result<void>(const communicator&)>& body) {
  if (launched_size() > 1) return run_under_mpi(program, argc, argv, body);
  return run_alone(program, [&body] { return body(communicator::alone()); });
}

int run_alone(const std::string& program, const std::function<result<void>()>& body) {
  if (const int ranks = launched_size(); ranks > 1) {
    if (launched_rank() == 0) {
      report_failure(program, error(fmt::format("started with {} ranks; it needs one: srun -n1 or "
                                                "mpirun -n 1",
                                                ranks)));
    }
    return usage;
  }
  try {
    prepare_hdf5();
    const auto outcome = body();
    return outcome ? 0 : report_failure(program, outcome.error());
  } catch (const std::exception& unexpected) {
    return report_failure(program, error(unexpected.what(), blame::run));
  }
}

}  // namespace berth::apps
