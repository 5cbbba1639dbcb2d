// The payload of pin_worth_bench: every rank computes the same, with as many threads as OpenMP and
// OpenBLAS think right, and rank 0 prints the seconds of the slowest rank.
//
//   pin_kernel triad   a = b + s c over vectors beyond every cache: memory bandwidth
//   pin_kernel dgemm   products of 1000 x 1000 matrices: the cores

#include <cblas.h>
#include <mpi.h>

#include <cstdio>
#include <string_view>
#include <vector>

namespace {

void triad() {
  constexpr std::size_t n = std::size_t{1} << 23;  // three vectors of 64 MiB
  constexpr int passes = 12;
  std::vector<double> a(n), b(n), c(n);
#pragma omp parallel for
  for (std::size_t i = 0; i < n; ++i) {
    b[i] = 1.0;
    c[i] = 2.0;
  }
  for (int pass = 0; pass < passes; ++pass) {
#pragma omp parallel for
    for (std::size_t i = 0; i < n; ++i) a[i] = b[i] + 3.0 * c[i];
  }
  if (a[n / 2] != 7.0) std::puts("wrong");
}

void dgemm() {
  constexpr int n = 1000;
  constexpr int passes = 15;
  const std::vector<double> a(std::size_t{n} * std::size_t{n}, 1.0);
  std::vector<double> c(a.size());
  for (int pass = 0; pass < passes; ++pass) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1.0, a.data(), n, a.data(), n,
                0.0, c.data(), n);
  }
  if (c[0] != n) std::puts("wrong");
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const std::string_view what = argc > 1 ? argv[1] : "";
  MPI_Barrier(MPI_COMM_WORLD);
  const double begin = MPI_Wtime();
  if (what == "triad") triad();
  if (what == "dgemm") dgemm();
  const double mine = MPI_Wtime() - begin;
  double slowest = 0;
  MPI_Reduce(&mine, &slowest, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 0) std::printf("%.6f\n", slowest);
  MPI_Finalize();
  return what == "triad" || what == "dgemm" ? 0 : 2;
}
