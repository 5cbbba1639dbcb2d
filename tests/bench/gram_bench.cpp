// The Gram matrix against what the machine and OpenBLAS can do, one core, one run, interleaved:
//
//   gram_bench [FEATURES ROWS]...        (200 100000 and 1000 20000 unless given)
//
// Guess, before measuring: X'X of m rows and n columns is m n^2 flops with the symmetric half, so
// at least m n^2 / (FMA peak) seconds; our tiles of 8 columns waste 4 % of that at n = 200 and 1 %
// at n = 1000, and packing another 4 % at n = 200, so 80 % of the peak is what to hope for. In
// exact precision four operations stand for one FMA: with two units for FMA and two for additions,
// a core needs twice the time. DSYRK of OpenBLAS reaches 60 to 90 % of its own DGEMM for m >> n.
//
// Folds have the same products, and blocks to add up once a fold: 3 to 8 % more was the guess
// for 10.
//
// OPENBLAS_CORETYPE=SKYLAKEX where OpenBLAS takes a processor with AVX-512 for an older one.

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <vector>

#include "common/blas_setup.hpp"
#include "gram/gram.hpp"
#include "gram/grouped_gram.hpp"

namespace {

using namespace berth::apps;

constexpr int repeats = 7;

struct problem {
  std::int64_t rows = 0;
  std::int64_t features = 0;
  std::vector<double> x;
  std::vector<double> y;
};

problem make_problem(std::int64_t features, std::int64_t rows) {
  problem made{rows, features, {}, {}};
  made.x.resize(static_cast<std::size_t>(rows * features));
  made.y.resize(static_cast<std::size_t>(rows));
  std::uint64_t state = 1;
  const auto draw = [&state] {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<double>(state >> 11) * 0x1p-53 - 0.5;
  };
  std::ranges::generate(made.x, draw);
  std::ranges::generate(made.y, draw);
  return made;
}

// Of this thread on a processor: what others do on a shared machine counts less.
double now() {
  timespec at{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) + 1e-9 * static_cast<double>(at.tv_nsec);
}

double seconds(const std::function<void()>& work) {
  const double start = now();
  work();
  return now() - start;
}

double gram(const problem& data, gram_precision precision, const kernel_set& kernels) {
  gram_builder builder({data.features, 1, false}, row_blocks_of(data.rows), precision, {}, kernels);
  return seconds([&] {
    builder.add({0, data.rows}, data.x.data(), data.y.data(), nullptr);
    (void)builder.finish(communicator::alone());
  });
}

double folds(const problem& data, std::int64_t count) {
  const row_parts parts(0, fold_sizes(data.rows, count));
  grouped_gram_builder builder({data.features, 1, false}, row_blocks_of(data.rows),
                               gram_precision::exact, parts);
  return seconds([&] {
    builder.add({0, data.rows}, data.x.data(), data.y.data(), nullptr);
    (void)builder.finish(communicator::alone());
  });
}

// X'X in blocks of 1024 rows, its fastest way; without X'y and the sums that ours includes.
double dsyrk(const problem& data) {
  const auto n = static_cast<int>(data.features);
  std::vector<double> c(static_cast<std::size_t>(n) * static_cast<std::size_t>(n));
  return seconds([&] {
    for (std::int64_t first = 0; first < data.rows; first += 1024) {
      const auto count = static_cast<int>(std::min<std::int64_t>(1024, data.rows - first));
      cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, n, count, 1,
                  data.x.data() + first * data.features, n, 1, c.data(), n);
    }
  });
}

double dgemm_rate() {
  constexpr int n = 1200;
  std::vector<double> a(n * n, 0.5);
  std::vector<double> c(n * n);
  const double time = seconds([&] {
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a.data(), n, a.data(), n, 0,
                c.data(), n);
  });
  return 2e-9 * n * n * n / time;
}

void compare(std::int64_t features, std::int64_t rows) {
  const auto data = make_problem(features, rows);
  const auto& best = best_kernels();
  double plain = HUGE_VAL;
  double exact = HUGE_VAL;
  double five = HUGE_VAL;
  double ten = HUGE_VAL;
  double syrk = HUGE_VAL;
  double gemm = 0;
  for (int i = 0; i < repeats; ++i) {
    plain = std::min(plain, gram(data, gram_precision::plain, best));
    syrk = std::min(syrk, dsyrk(data));
    exact = std::min(exact, gram(data, gram_precision::exact, best));
    five = std::min(five, folds(data, 5));
    ten = std::min(ten, folds(data, 10));
    gemm = std::max(gemm, dgemm_rate());
  }
  const double flops = 1e-9 * static_cast<double>(rows) * static_cast<double>(features * features);
  fmt::print("{} rows x {} features, {} kernels, OpenBLAS {}\n", rows, features, best.name,
             openblas_get_corename());
  fmt::print("  DGEMM 1200^3       {:7.1f} GFLOP/s\n", gemm);
  fmt::print("  DSYRK              {:7.1f} GFLOP/s  {:.3f} s  {:.2f} of DGEMM\n", flops / syrk,
             syrk, flops / syrk / gemm);
  fmt::print("  gram, plain        {:7.1f} GFLOP/s  {:.3f} s  {:.2f} of DSYRK\n", flops / plain,
             plain, syrk / plain);
  fmt::print("  gram, exact        {:7.1f} GFLOP/s  {:.3f} s  {:.2f} times plain\n", flops / exact,
             exact, exact / plain);
  fmt::print("  exact, folds       5: {:.3f} s, {:.2f} times exact; 10: {:.3f} s, {:.2f} times\n",
             five, five / exact, ten, ten / exact);
  for (const auto* kernels : supported_kernels().subspan(1)) {
    if (kernels == supported_kernels().back()) break;
    fmt::print("  {:6} plain {:.3f} s, exact {:.3f} s\n", kernels->name,
               gram(data, gram_precision::plain, *kernels),
               gram(data, gram_precision::exact, *kernels));
  }
}

}  // namespace

int main(int argc, char** argv) {
  set_up_blas(argv);
  if (argc < 3) {
    compare(200, 100'000);
    compare(1000, 20'000);
  }
  for (int i = 1; i + 1 < argc; i += 2) compare(std::atoll(argv[i]), std::atoll(argv[i + 1]));
  return 0;
}
