// main of the tests that run under mpirun: all ranks run all tests, rank 0 prints, and a failure on
// any rank fails every rank.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <iostream>

#include "common/blas_setup.hpp"
#include "common/hdf5.hpp"
#include "world.hpp"

namespace berth::apps {

namespace {

const communicator* world_communicator = nullptr;

// Prints the failures of the other ranks, which have no printer of their own.
class failures_only : public testing::EmptyTestEventListener {
  void OnTestPartResult(const testing::TestPartResult& part) override {
    if (!part.failed()) return;
    std::cerr << "rank " << world().rank() << ": "
              << (part.file_name() != nullptr ? part.file_name() : "") << ":" << part.line_number()
              << ": " << part.summary() << "\n";
  }
};

}  // namespace

const communicator& world() {
  return *world_communicator;
}

}  // namespace berth::apps

int main(int argc, char** argv) {
  using namespace berth::apps;
  set_up_blas(argv);
  testing::InitGoogleMock(&argc, argv);
  const mpi_session session(argc, argv);
  prepare_hdf5();
  const auto comm = communicator::of_world();
  world_communicator = &comm;
  if (!comm.is_root()) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new failures_only);
  }
  std::array<std::int64_t, 1> failed{RUN_ALL_TESTS()};
  comm.sum(std::span<std::int64_t>(failed));
  return failed[0] == 0 ? 0 : 1;
}
