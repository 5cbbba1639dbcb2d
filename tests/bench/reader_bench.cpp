// How fast rows of HDF5 files arrive: the reader against a plain read of the same bytes, against
// the HDF5 library's own reads, and against computing at the same time. All in one run,
// interleaved, the best of several rounds; compare ratios, not seconds. Warm reads are counted in
// CPU seconds of the rank that needs most, so that nobody else on the machine counts; cold ones by
// the clock.
//
//   mpirun -n 2 reader_bench [FOLDER [MEGABYTES]]      files are made in FOLDER and removed
//
// What was measured is in mpi-apps/data/README.md.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/collective.hpp"
#include "data/array_reader.hpp"
#include "data/file_bytes.hpp"
#include "data/read_rows.hpp"

namespace berth::apps {
namespace {

constexpr std::int64_t columns = 200;
constexpr int rounds = 5;

struct layout {
  const char* name;
  std::int64_t chunk_rows = 0;  // 0: contiguous
  std::int64_t chunk_columns = 0;
  unsigned gzip = 0;  // level; 0: none
};

// Chunks as h5py guesses them for [250000 x 200] are (3907, 4).
constexpr layout layouts[] = {{"contiguous"},
                              {"chunks 4096 x 200", 4096, columns},
                              {"chunks 16 x 200", 16, columns},
                              {"chunks 3907 x 4", 3907, 4},
                              {"gzip 4096 x 200", 4096, columns, 1},
                              {"gzip 3907 x 4", 3907, 4, 4}};

template <class T>
T demand(result<T> got) {
  if (!got) throw std::runtime_error(got.error().text());
  if constexpr (!std::is_void_v<T>) return std::move(*got);
}

// Measured values with four significant digits, as sensors and spreadsheets have them.
void write_file(const std::string& path, const layout& how, std::int64_t rows) {
  const hdf5_file file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const hsize_t extent[] = {static_cast<hsize_t>(rows), columns};
  const hdf5_space space(H5Screate_simple(2, extent, nullptr));
  const hdf5_properties creation(H5Pcreate(H5P_DATASET_CREATE));
  if (how.chunk_rows > 0) {
    const hsize_t chunk[] = {static_cast<hsize_t>(how.chunk_rows),
                             static_cast<hsize_t>(how.chunk_columns)};
    H5Pset_chunk(creation.get(), 2, chunk);
  }
  if (how.gzip > 0) {
    H5Pset_shuffle(creation.get());
    H5Pset_deflate(creation.get(), how.gzip);
  }
  const hdf5_properties access(H5Pcreate(H5P_DATASET_ACCESS));
  H5Pset_chunk_cache(access.get(), 12421, std::size_t{64} << 20, 1);
  const hdf5_dataset x(H5Dcreate2(file.get(), "X", H5T_IEEE_F64LE, space.get(), H5P_DEFAULT,
                                  creation.get(), access.get()));
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  constexpr std::int64_t step = 3907;
  std::vector<double> values(step * columns);
  // The same for all: a compressor sees no further back than 32 KiB.
  for (auto& value : values) value = std::round(normal(random) * 1000) / 1000;
  for (std::int64_t first = 0; first < rows; first += step) {
    const auto count = std::min(step, rows - first);
    const hsize_t start[] = {static_cast<hsize_t>(first), 0};
    const hsize_t block[] = {static_cast<hsize_t>(count), columns};
    const hsize_t flat = static_cast<hsize_t>(count * columns);
    const hdf5_space memory(H5Screate_simple(1, &flat, nullptr));
    H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start, nullptr, block, nullptr);
    H5Dwrite(x.get(), H5T_NATIVE_DOUBLE, memory.get(), space.get(), H5P_DEFAULT, values.data());
  }
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void drop_from_cache(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ::fsync(fd);
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
}

// One file as every rank sees it, and its rows in memory that has been touched before.
class subject {
 public:
  subject(const communicator& comm, std::string path)
      : comm_(comm),
        path_(std::move(path)),
        data_(demand(open_dataset(comm, path_, {{}, {}, {}, target_use::ignored, false}))),
        range_(partition_of(data_, comm.size()).of(comm.rank())),
        threads_(threads_each(comm)),
        rows_(static_cast<std::size_t>(range_.count * columns), 0.0) {}

  // Seconds until the slowest rank is done.
  double time(const std::function<void()>& work, bool cold = false) const {
    if (cold && comm_.is_root()) drop_from_cache(path_);
    comm_.barrier();
    const double start = MPI_Wtime();
    work();
    comm_.barrier();
    return MPI_Wtime() - start;
  }

  // CPU seconds, in the kernel too, of the rank that needs most.
  double cost(const std::function<void()>& work) const {
    comm_.barrier();
    const double start = cpu_seconds();
    work();
    return comm_.max(cpu_seconds() - start);
  }

  [[nodiscard]] double cost_of_all(const std::function<void()>& work) const {
    const double start = cpu_seconds();
    work();
    return comm_.sum(cpu_seconds() - start);
  }

  // As many bytes of the file as this rank's rows have in it, in reads of 8 MiB.
  void plain() {
    constexpr std::size_t at_once = std::size_t{8} << 20;
    const auto file = demand(file_bytes::open(path_));
    const auto out = std::as_writable_bytes(std::span(rows_));
    // Chunks at the border are stored whole: more than the rows in memory.
    const auto share = std::min(stored() / static_cast<std::uint64_t>(comm_.size()), out.size());
    std::uint64_t address = share * static_cast<std::uint64_t>(comm_.rank());
    for (std::size_t at = 0; at < share; at += at_once) {
      const auto size = std::min<std::size_t>(at_once, share - at);
      demand(file.read(address + at, out.subspan(at, size)));
    }
  }
  void ours(bool statistics) {
    panel_options options;
    options.threads = threads_;
    options.statistics = statistics;
    auto source = demand(panel_source<double>::open(data_, options));
    panel<double> all;
    all.x = std::move(rows_);
    demand(source.fill(range_, all));
    rows_ = std::move(all.x);
  }
  void library(bool collective) {
    const auto file = demand(open_hdf5(comm_, path_));
    const hdf5_dataset x(H5Dopen2(file.get(), "X", H5P_DEFAULT));
    const hdf5_properties transfer(H5Pcreate(H5P_DATASET_XFER));
    H5Pset_dxpl_mpio(transfer.get(), collective ? H5FD_MPIO_COLLECTIVE : H5FD_MPIO_INDEPENDENT);
    const hdf5_space space(H5Dget_space(x.get()));
    const hsize_t start[] = {static_cast<hsize_t>(range_.first), 0};
    const hsize_t count[] = {static_cast<hsize_t>(range_.count), columns};
    const hsize_t flat = rows_.size();
    const hdf5_space memory(H5Screate_simple(1, &flat, nullptr));
    H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start, nullptr, count, nullptr);
    H5Dread(x.get(), H5T_NATIVE_DOUBLE, memory.get(), space.get(), transfer.get(), rows_.data());
  }

  [[nodiscard]] std::uint64_t stored() const {
    const auto& x = data_.x;
    if (x.layout == layout_kind::contiguous) {
      return static_cast<std::uint64_t>(x.rows() * x.columns() * x.element.bytes);
    }
    std::uint64_t bytes = 0;
    for (const auto& chunk : x.chunks) bytes += chunk.bytes;
    return bytes;
  }
  [[nodiscard]] double bytes() const {
    return 8.0 * static_cast<double>(data_.info.rows) * columns;
  }
  [[nodiscard]] const dataset& data() const { return data_; }
  [[nodiscard]] row_range range() const { return range_; }

 private:
  const communicator& comm_;
  std::string path_;
  dataset data_;
  row_range range_;
  int threads_;
  buffer<double> rows_;
};

void measure(const communicator& comm, const layout& how, const std::string& path) {
  subject file(comm, path);
  std::array<double, 5> best;
  best.fill(1e9);
  file.ours(false);  // the pages of the rows are there, and the file's are in the cache
  for (int round = 0; round < rounds; ++round) {
    const std::function<void()> ways[] = {[&] { file.plain(); }, [&] { file.ours(false); },
                                          [&] { file.ours(true); }, [&] { file.library(false); },
                                          [&] { file.library(true); }};
    for (std::size_t way = 0; way < 5; ++way) {
      if (way == 4 && round > 1 && how.chunk_rows > 0) continue;  // seconds a time
      best[way] = std::min(best[way], file.cost(ways[way]));
    }
  }
  if (!comm.is_root()) return;
  const double gb = file.bytes() / 1e9;
  fmt::print("{:<18} {:>7.2f} {:>7.2f} {:>7.2f} {:>9.2f} {:>9.2f}   {:>5.2f} {:>6.2f}\n", how.name,
             static_cast<double>(file.stored()) / 1e9 / best[0], gb / best[1], gb / best[2],
             gb / best[3], gb / best[4], best[0] / best[1], std::min(best[3], best[4]) / best[1]);
}

void measure_cold(const communicator& comm, const layout& how, const std::string& path) {
  subject file(comm, path);
  double plain = 1e9;
  double ours = 1e9;
  for (int round = 0; round < 3; ++round) {
    plain = std::min(plain, file.time([&] { file.plain(); }, true));
    ours = std::min(ours, file.time([&] { file.ours(true); }, true));
  }
  if (!comm.is_root()) return;
  const double gb = static_cast<double>(file.stored()) / 1e9;
  fmt::print("{:<18} {:>7.2f} {:>7.2f}   {:>5.2f}\n", how.name, gb / plain, gb / ours,
             plain / ours);
}

// The best round by the clock, and the least CPU seconds of all ranks together.
struct timing {
  double wall = 1e9;
  double cpu = 1e9;
  void keep(const subject& file, const std::function<void()>& work) {
    cpu = std::min(cpu, file.cost_of_all([&] { wall = std::min(wall, file.time(work)); }));
  }
};

// Of the machine, as far as the ranks may use them.
double cores(const communicator& comm) {
  return static_cast<double>(threads_each(comm)) * comm.size();
}

// Arithmetic on a panel, repeated until it costs about as much as reading does.
double compute(std::span<const double> x, int repeat) {
  double total = 0;
  for (int k = 0; k < repeat; ++k) {
    for (const double value : x) total += std::sqrt(std::abs(value) + k);
  }
  return total;
}

void measure_overlap(const communicator& comm, const layout& how, const std::string& path,
                     int repeat) {
  subject file(comm, path);
  panel_options options;
  options.threads = 1;
  options.statistics = false;
  double sink = 0;
  const auto stream = [&](int times) {
    auto rows = demand(panel_stream<double>::open(file.data(), file.range(), options));
    for (const auto* got = demand(rows.next()); got != nullptr; got = demand(rows.next())) {
      sink += compute(got->x, times);
    }
  };
  auto source = demand(panel_source<double>::open(file.data(), options));
  panel<double> one;
  const auto step = std::min(source.rows_at_once(), file.range().count);
  demand(source.fill({file.range().first, step}, one));
  const auto compute_alone = [&] {
    for (std::int64_t done = 0; done < file.range().count; done += step) {
      sink += compute(one.x, repeat);
    }
  };
  timing read;
  timing alone;
  timing both;
  for (int round = 0; round < 3; ++round) {
    read.keep(file, [&] { stream(0); });
    alone.keep(file, compute_alone);
    both.keep(file, [&] { stream(repeat); });
  }
  // Nothing that needs the processors for so long can be done sooner, whatever overlaps.
  const double processors = (read.cpu + alone.cpu) / cores(comm);
  const double floor = std::max({read.wall, alone.wall, processors});
  if (!comm.is_root()) return;
  fmt::print(
      "{:<18} read {:.3f} s, compute {:.3f} s, together {:.3f} s = {:.2f} x the larger, {:.2f} x "
      "the floor of {:.3f} s; CPU together {:.2f} x the sum{}\n",
      how.name, read.wall, alone.wall, both.wall, both.wall / std::max(read.wall, alone.wall),
      both.wall / floor, floor, both.cpu / (read.cpu + alone.cpu), sink == 0.5 ? "." : "");
}

void run(const communicator& comm, const std::string& folder, std::int64_t megabytes) {
  const auto rows = megabytes * 1'000'000 / (8 * columns);
  const auto path_of = [&](const layout& how) {
    return fmt::format("{}/reader_bench-{}.h5", folder, &how - layouts);
  };
  if (comm.is_root()) {
    for (const auto& how : layouts) write_file(path_of(how), how, rows);
    fmt::print(
        "{} ranks, {} rows x {}, GB per CPU second and rank set, of float64 (plain: of the file)\n",
        comm.size(), rows, columns);
    fmt::print("{:<18} {:>7} {:>7} {:>7} {:>9} {:>9}   {:>5} {:>6}\n", "", "plain", "ours",
               "+stats", "HDF5 ind", "HDF5 coll", "/read", "/HDF5");
  }
  comm.barrier();
  for (const auto& how : layouts) measure(comm, how, path_of(how));
  if (comm.is_root()) fmt::print("\ncold, GB/s of the file: plain, ours with statistics, ratio\n");
  for (const auto& how : layouts) measure_cold(comm, how, path_of(how));
  if (comm.is_root()) fmt::print("\none thread a rank that reads, one that computes\n");
  for (const int repeat : {1, 4}) measure_overlap(comm, layouts[0], path_of(layouts[0]), repeat);
  measure_overlap(comm, layouts[4], path_of(layouts[4]), 4);
  comm.barrier();
  if (!comm.is_root()) return;
  for (const auto& how : layouts) std::filesystem::remove(path_of(how));
}

}  // namespace
}  // namespace berth::apps

int main(int argc, char** argv) {
  using namespace berth::apps;
  const mpi_session session(argc, argv);
  prepare_hdf5();
  const auto comm = communicator::of_world();
  const std::string folder = argc > 1 ? argv[1] : ".";
  run(comm, folder, argc > 2 ? std::atoll(argv[2]) : 200);
  return 0;
}
