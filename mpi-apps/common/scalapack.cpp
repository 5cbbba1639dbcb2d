#include "common/scalapack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

#include "common/collective.hpp"
#include "common/scalapack_c.hpp"

namespace berth::apps {

namespace {

constexpr int first = 1;  // Fortran counts from 1
constexpr int source = 0;
constexpr std::int64_t int_limit = std::numeric_limits<int>::max();

int global_index(int local, int block, int process, int processes) noexcept {
  return (local / block * processes + process) * block + local % block;
}

failure bad_argument(const char* routine, int info) {
  return fail(fmt::format("{}: argument {} is wrong", routine, -info), blame::run);
}

failure too_large(std::int64_t rows, std::int64_t cols) {
  return fail(
      fmt::format("a {} x {} matrix is beyond ScaLAPACK's 32-bit integers; use more ranks, "
                  "fewer rows or fewer features",
                  rows, cols));
}

// What `query` of a routine said, in a double: where NB x local rows passes 2^31 it has overflowed.
result<std::vector<double>> workspace(const communicator& comm, const char* routine, int info,
                                      double wanted, const distributed_matrix& a) {
  const auto reserve = [&]() -> result<std::vector<double>> {
    if (info != 0) return bad_argument(routine, info);
    const auto length = static_cast<std::int64_t>(wanted);
    if (length < 1 || length > int_limit) return too_large(a.rows(), a.cols());
    try {
      return std::vector<double>(static_cast<std::size_t>(length));
    } catch (const std::bad_alloc&) {
      return fail(fmt::format("{}: not enough memory for its workspace; use more ranks", routine),
                  blame::run);
    }
  };
  return agree(comm, reserve());
}

}  // namespace

result<distributed_matrix> distributed_matrix::create(const process_grid& grid, std::int64_t rows,
                                                      std::int64_t cols, std::int64_t row_block,
                                                      std::int64_t col_block) {
  if (std::max({rows, cols, row_block, col_block}) > int_limit) return too_large(rows, cols);
  distributed_matrix m;
  m.grid_ = &grid;
  const int m_rows = static_cast<int>(rows);
  const int m_cols = static_cast<int>(cols);
  const int mb = static_cast<int>(row_block);
  const int nb = static_cast<int>(col_block);
  const int p = grid.rows();
  const int q = grid.cols();
  const int my_row = grid.my_row();
  const int my_col = grid.my_col();
  m.local_rows_ = numroc_(&m_rows, &mb, &my_row, &source, &p);
  m.local_cols_ = numroc_(&m_cols, &nb, &my_col, &source, &q);
  const int lld = std::max(1, m.local_rows_);
  const int context = grid.context();
  int info = 0;
  descinit_(m.desc_.data(), &m_rows, &m_cols, &mb, &nb, &source, &source, &context, &lld, &info);
  if (info != 0) return bad_argument("DESCINIT", info);
  const std::int64_t elements = std::int64_t{lld} * std::max(1, m.local_cols_);
  if (elements > int_limit) return too_large(rows, cols);
  try {
    m.data_.assign(static_cast<std::size_t>(elements), 0.0);
  } catch (const std::bad_alloc&) {
    return fail(fmt::format("not enough memory for {} bytes; use more ranks", elements * 8),
                blame::run);
  }
  return m;
}

int distributed_matrix::global_row(int local) const noexcept {
  return global_index(local, desc_[4], grid_->my_row(), grid_->rows());
}

int distributed_matrix::global_col(int local) const noexcept {
  return global_index(local, desc_[5], grid_->my_col(), grid_->cols());
}

std::vector<double> distributed_matrix::replicate(const communicator& comm, int rows,
                                                  int cols) const {
  std::vector<double> all(static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols), 0.0);
  for (int j = 0; j < local_cols_ && global_col(j) < cols; ++j) {
    for (int i = 0; i < local_rows_ && global_row(i) < rows; ++i) {
      all[static_cast<std::size_t>(global_col(j)) * static_cast<std::size_t>(rows) +
          static_cast<std::size_t>(global_row(i))] = local(i, j);
    }
  }
  comm.sum(std::span<double>(all));
  return all;
}

result<void> least_squares(const communicator& comm, distributed_matrix& a, distributed_matrix& b) {
  const int m = a.rows();
  const int n = a.cols();
  const int rhs = b.cols();
  int info = 0;
  int lwork = -1;
  double wanted = 0;
  pdgels_("N", &m, &n, &rhs, a.data(), &first, &first, a.descriptor(), b.data(), &first, &first,
          b.descriptor(), &wanted, &lwork, &info);
  auto work = workspace(comm, "PDGELS", info, wanted, a);
  if (!work) return pass(std::move(work));
  lwork = static_cast<int>(work->size());
  pdgels_("N", &m, &n, &rhs, a.data(), &first, &first, a.descriptor(), b.data(), &first, &first,
          b.descriptor(), work->data(), &lwork, &info);
  if (info != 0) return bad_argument("PDGELS", info);
  return {};
}

result<pivoted_diagonal> pivoted_qr(const communicator& comm, distributed_matrix& a) {
  const int n = a.rows();
  const auto local = static_cast<std::size_t>(std::max(1, a.local_cols()));
  std::vector<int> pivots(local, 0);
  std::vector<double> tau(local, 0);
  int info = 0;
  int lwork = -1;
  double wanted = 0;
  pdgeqpf_(&n, &n, a.data(), &first, &first, a.descriptor(), pivots.data(), tau.data(), &wanted,
           &lwork, &info);
  auto work = workspace(comm, "PDGEQPF", info, wanted, a);
  if (!work) return pass(std::move(work));
  lwork = static_cast<int>(work->size());
  pdgeqpf_(&n, &n, a.data(), &first, &first, a.descriptor(), pivots.data(), tau.data(),
           work->data(), &lwork, &info);
  if (info != 0) return bad_argument("PDGEQPF", info);
  const auto count = static_cast<std::size_t>(n);
  pivoted_diagonal out{std::vector<double>(count, 0), std::vector<std::int64_t>(count, 0)};
  for (int j = 0; j < a.local_cols(); ++j) {
    for (int i = 0; i < a.local_rows(); ++i) {
      // Every rank of the process column knows the pivot; that of the diagonal tells.
      if (a.global_row(i) != a.global_col(j)) continue;
      const auto k = static_cast<std::size_t>(a.global_col(j));
      out.sizes[k] = std::abs(a.local(i, j));
      out.columns[k] = pivots[static_cast<std::size_t>(j)] - first;
    }
  }
  comm.sum(std::span<double>(out.sizes));
  comm.sum(std::span<std::int64_t>(out.columns));
  return out;
}

result<std::vector<double>> singular_values(const communicator& comm, distributed_matrix& a,
                                            distributed_matrix& u, distributed_matrix& vt) {
  const int n = a.rows();
  std::vector<double> values(static_cast<std::size_t>(n), 0);
  int info = 0;
  int lwork = -1;
  double wanted = 0;
  pdgesvd_("V", "V", &n, &n, a.data(), &first, &first, a.descriptor(), values.data(), u.data(),
           &first, &first, u.descriptor(), vt.data(), &first, &first, vt.descriptor(), &wanted,
           &lwork, &info);
  auto work = workspace(comm, "PDGESVD", info, wanted, a);
  if (!work) return pass(std::move(work));
  lwork = static_cast<int>(work->size());
  pdgesvd_("V", "V", &n, &n, a.data(), &first, &first, a.descriptor(), values.data(), u.data(),
           &first, &first, u.descriptor(), vt.data(), &first, &first, vt.descriptor(), work->data(),
           &lwork, &info);
  const auto finish = [&]() -> result<void> {
    if (info < 0) return bad_argument("PDGESVD", info);
    if (info > 0) return fail("PDGESVD: the singular values do not converge", blame::run);
    return {};
  };
  if (auto ok = agree(comm, finish()); !ok) return pass(std::move(ok));
  return values;
}

result<int> cholesky(distributed_matrix& a) {
  const int n = a.rows();
  int info = 0;
  pdpotrf_("L", &n, a.data(), &first, &first, a.descriptor(), &info);
  if (info < 0) return bad_argument("PDPOTRF", info);
  return info;
}

result<double> symmetric_norm(const distributed_matrix& a) {
  const int n = a.rows();
  // PDLANSY wants 2 Nq + Np + LDW; twice the order is more than any grid needs.
  std::vector<double> work(4 * static_cast<std::size_t>(n) + 4096);
  return pdlansy_("1", "L", &n, a.data(), &first, &first, a.descriptor(), work.data());
}

result<double> reciprocal_condition(const distributed_matrix& factor, double norm) {
  const int n = factor.rows();
  double rcond = 0;
  int info = 0;
  int lwork = -1;
  int liwork = -1;
  double work_size = 0;
  int iwork_size = 0;
  pdpocon_("L", &n, factor.data(), &first, &first, factor.descriptor(), &norm, &rcond, &work_size,
           &lwork, &iwork_size, &liwork, &info);
  if (info != 0) return bad_argument("PDPOCON", info);
  // A rank without a part of the matrix is told 0, and written to all the same.
  lwork = std::max(1, static_cast<int>(static_cast<std::int64_t>(work_size)));
  liwork = std::max(1, iwork_size);
  std::vector<double> work(static_cast<std::size_t>(lwork));
  std::vector<int> iwork(static_cast<std::size_t>(liwork));
  pdpocon_("L", &n, factor.data(), &first, &first, factor.descriptor(), &norm, &rcond, work.data(),
           &lwork, iwork.data(), &liwork, &info);
  if (info != 0) return bad_argument("PDPOCON", info);
  return rcond;
}

result<void> cholesky_invert(distributed_matrix& factor) {
  const int n = factor.rows();
  int info = 0;
  pdpotri_("L", &n, factor.data(), &first, &first, factor.descriptor(), &info);
  if (info != 0) return bad_argument("PDPOTRI", info);
  return {};
}

result<void> cholesky_solve(const distributed_matrix& factor, distributed_matrix& b) {
  const int n = factor.rows();
  const int rhs = b.cols();
  int info = 0;
  pdpotrs_("L", &n, &rhs, factor.data(), &first, &first, factor.descriptor(), b.data(), &first,
           &first, b.descriptor(), &info);
  if (info != 0) return bad_argument("PDPOTRS", info);
  return {};
}

}  // namespace berth::apps
