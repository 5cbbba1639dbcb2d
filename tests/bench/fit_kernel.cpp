// Solves a dataset from memory and prints "WALL CPU", the least seconds of some rounds: by the
// clock of the slowest rank, and of all ranks on processors. For fit_bench.
//
//   fit_kernel DATA.h5 SOLVER ROUNDS

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "common/blas_setup.hpp"
#include "data/panels.hpp"
#include "models/least_squares.hpp"

namespace {

using namespace berth::apps;

template <class T>
T demand(result<T> got) {
  if (!got) throw std::runtime_error(got.error().text());
  return std::move(*got);
}

struct memory {
  row_range range;
  std::vector<double> x;
  std::vector<double> y;
};

memory load(const communicator& comm, const dataset& data) {
  memory rows{partition_blocks(row_blocks_of(data.info.rows), comm.size()).of(comm.rank()), {}, {}};
  auto panels = demand(panel_stream<double>::open(data, rows.range));
  while (const auto* panel = demand(panels.next())) {
    rows.x.insert(rows.x.end(), panel->x.begin(), panel->x.end());
    rows.y.insert(rows.y.end(), panel->y.begin(), panel->y.end());
  }
  return rows;
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void measure(const communicator& comm, const char* path, const std::string& name, int rounds) {
  const auto data = demand(open_dataset(comm, path, {}));
  const auto rows = load(comm, data);
  const row_source source{{data.info.features, 1, false},
                          data.info.rows,
                          [&](const std::function<void(const row_view&)>& see) -> result<void> {
                            see({rows.range, rows.x.data(), nullptr, rows.y.data(), nullptr});
                            return {};
                          },
                          {}};
  least_squares_options options;
  if (name == "normal") options.solver = linear_solver::normal;
  if (name == "exact") options.solver = linear_solver::exact;
  double wall = HUGE_VAL;
  double cpu = HUGE_VAL;
  for (int i = 0; i < rounds; ++i) {
    comm.barrier();
    const double cpu_before = cpu_seconds();
    const double before = MPI_Wtime();
    demand(solve_least_squares(comm, source, options,
                               [](std::size_t j) { return std::to_string(j); }));
    wall = std::min(wall, comm.max(MPI_Wtime() - before));
    cpu = std::min(cpu, comm.sum(cpu_seconds() - cpu_before));
  }
  if (comm.is_root()) fmt::print("{:.4f} {:.4f}\n", wall, cpu);
}

}  // namespace

int main(int argc, char** argv) {
  set_up_blas(argv);
  if (argc != 4) return 2;
  const mpi_session session(argc, argv);
  measure(communicator::of_world(), argv[1], argv[2], std::atoi(argv[3]));
  return 0;
}
