#include "models/wide_gram.hpp"

#include <cblas.h>

#include <algorithm>

#include "common/collective.hpp"

namespace berth::apps {

namespace {

constexpr std::size_t block = 64;          // of ScaLAPACK's distribution
constexpr std::size_t blocks_at_once = 4;  // of each process column

// Rows or columns of [first, end) that process `index` of `count` owns, ascending.
std::vector<std::size_t> owned(std::size_t first, std::size_t end, int index, int count) {
  std::vector<std::size_t> list;
  for (std::size_t i = first; i < end; ++i) {
    if (static_cast<int>(i / block) % count == index) list.push_back(i);
  }
  return list;
}

// Columns [first, end) of this rank's X'X from row `first` down, by columns.
void multiply_panel(const wide_rows& rows, std::size_t first, std::size_t end,
                    std::vector<double>& panel) {
  const std::size_t height = rows.order - first;
  panel.assign(height * (end - first), 0);
  if (rows.range.count == 0) return;
  // Row-major x is its transpose by columns.
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, static_cast<int>(height),
              static_cast<int>(end - first), static_cast<int>(rows.range.count), 1,
              rows.x.data() + first, static_cast<int>(rows.order), rows.x.data() + first,
              static_cast<int>(rows.order), 0, panel.data(), static_cast<int>(height));
}

double product_flops(const wide_rows& rows, std::size_t first, std::size_t end) {
  return 2 * static_cast<double>(rows.range.count) * static_cast<double>(end - first) *
         static_cast<double>(rows.order - first);
}

}  // namespace

result<distributed_matrix> wide_gram(const communicator& comm, const process_grid& grid,
                                     const wide_rows& rows, work_log* log) {
  const auto order = static_cast<std::int64_t>(rows.order);
  auto gram = agree(comm, distributed_matrix::create(grid, order, order, block, block));
  if (!gram) return gram;
  const std::size_t width = block * blocks_at_once * static_cast<std::size_t>(grid.cols());
  std::vector<double> panel;
  std::vector<double> sent;
  std::vector<double> mine;
  int local_row = 0;
  int local_col = 0;
  for (std::size_t first = 0; first < rows.order; first += width) {
    const std::size_t end = std::min(first + width, rows.order);
    const stopwatch multiplying;
    multiply_panel(rows, first, end, panel);
    if (log != nullptr) log->add("gram", multiplying, product_flops(rows, first, end), 0, true);
    const stopwatch exchanging;
    sent.clear();
    std::vector<int> counts;
    for (int p = 0; p < grid.rows(); ++p) {
      const auto down = owned(first, rows.order, p, grid.rows());
      for (int q = 0; q < grid.cols(); ++q) {
        const auto across = owned(first, end, q, grid.cols());
        counts.push_back(static_cast<int>(down.size() * across.size()));
        for (const std::size_t j : across) {
          for (const std::size_t i : down) {
            sent.push_back(panel[(j - first) * (rows.order - first) + i - first]);
          }
        }
      }
    }
    mine.resize(static_cast<std::size_t>(counts[static_cast<std::size_t>(comm.rank())]));
    comm.sum_scatter(sent, counts, mine);
    const auto height =
        static_cast<int>(owned(first, rows.order, grid.my_row(), grid.rows()).size());
    const auto across = static_cast<int>(owned(first, end, grid.my_col(), grid.cols()).size());
    local_row = gram->local_rows() - height;
    for (int j = 0; j < across; ++j) {
      for (int i = 0; i < height; ++i) {
        gram->local(local_row + i, local_col + j) =
            mine[static_cast<std::size_t>(j) * static_cast<std::size_t>(height) +
                 static_cast<std::size_t>(i)];
      }
    }
    local_col += across;
    if (log != nullptr) {
      log->add("exchange", exchanging, 0, static_cast<double>(sent.size() * sizeof(double)));
    }
  }
  return gram;
}

}  // namespace berth::apps
