#include "common/blacs.hpp"

#include <array>
#include <exception>
#include <utility>

#include "common/scalapack_c.hpp"

namespace berth::apps {

process_grid::process_grid(const communicator& comm, int rows, int cols)
    : own_(comm.duplicate()), system_(Csys2blacs_handle(own_.handle())), context_(system_) {
  Cblacs_gridinit(&context_, "Row", rows, cols);
  Cblacs_gridinfo(context_, &rows_, &cols_, &my_row_, &my_col_);
}

process_grid process_grid::tall(const communicator& comm) {
  return {comm, comm.size(), 1};
}

process_grid process_grid::square(const communicator& comm) {
  std::array<int, 2> shape{0, 0};
  MPI_Dims_create(comm.size(), 2, shape.data());
  return {comm, shape[0], shape[1]};
}

process_grid::process_grid(process_grid&& other) noexcept
    : own_(std::move(other.own_)),
      system_(std::exchange(other.system_, -1)),
      context_(std::exchange(other.context_, -1)),
      rows_(other.rows_),
      cols_(other.cols_),
      my_row_(other.my_row_),
      my_col_(other.my_col_) {}

process_grid::~process_grid() {
  if (context_ < 0 || std::uncaught_exceptions() > 0) return;
  Cblacs_gridexit(context_);
  Cfree_blacs_system_handle(system_);
}

}  // namespace berth::apps
