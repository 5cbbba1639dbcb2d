#include "common/mpi.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace berth::apps {

namespace {

// MPI 3 counts are int; a slice this long stays far below and costs no measurable time.
constexpr std::size_t slice = std::size_t{1} << 26;

template <class T, class F>
void in_slices(std::span<T> values, F&& transfer) {
  for (std::size_t at = 0; at < values.size(); at += slice) {
    const auto part = values.subspan(at, std::min(slice, values.size() - at));
    transfer(part.data(), static_cast<int>(part.size()));
  }
}

}  // namespace

mpi_session::mpi_session(int& argc, char**& argv)
    : exceptions_at_start_(std::uncaught_exceptions()) {
  MPI_Init(&argc, &argv);
}

mpi_session::~mpi_session() {
  if (std::uncaught_exceptions() == exceptions_at_start_) MPI_Finalize();
}

communicator::communicator(MPI_Comm comm) : comm_(comm) {
  MPI_Comm_rank(comm_, &rank_);
  MPI_Comm_size(comm_, &size_);
}

communicator communicator::of_world() {
  MPI_Comm comm = MPI_COMM_NULL;
  MPI_Comm_dup(MPI_COMM_WORLD, &comm);
  return communicator(comm);
}

communicator communicator::duplicate() const {
  if (is_alone()) return alone();
  MPI_Comm comm = MPI_COMM_NULL;
  MPI_Comm_dup(comm_, &comm);
  return communicator(comm);
}

communicator::communicator(communicator&& other) noexcept
    : comm_(std::exchange(other.comm_, MPI_COMM_NULL)), rank_(other.rank_), size_(other.size_) {}

communicator& communicator::operator=(communicator&& other) noexcept {
  std::swap(comm_, other.comm_);
  std::swap(rank_, other.rank_);
  std::swap(size_, other.size_);
  return *this;
}

communicator::~communicator() {
  // Freeing is collective; while unwinding the other ranks are elsewhere.
  if (comm_ != MPI_COMM_NULL && std::uncaught_exceptions() == 0) MPI_Comm_free(&comm_);
}

void communicator::barrier() const {
  if (!is_alone()) MPI_Barrier(comm_);
}

void communicator::sum(std::span<double> values) const {
  if (is_alone()) return;
  in_slices(values, [this](double* at, int count) {
    MPI_Allreduce(MPI_IN_PLACE, at, count, MPI_DOUBLE, MPI_SUM, comm_);
  });
}

void communicator::sum(std::span<long double> values) const {
  if (is_alone()) return;
  in_slices(values, [this](long double* at, int count) {
    MPI_Allreduce(MPI_IN_PLACE, at, count, MPI_LONG_DOUBLE, MPI_SUM, comm_);
  });
}

void communicator::max(std::span<double> values) const {
  if (is_alone()) return;
  in_slices(values, [this](double* at, int count) {
    MPI_Allreduce(MPI_IN_PLACE, at, count, MPI_DOUBLE, MPI_MAX, comm_);
  });
}

void communicator::sum(std::span<std::int64_t> values) const {
  if (is_alone()) return;
  in_slices(values, [this](std::int64_t* at, int count) {
    MPI_Allreduce(MPI_IN_PLACE, at, count, MPI_INT64_T, MPI_SUM, comm_);
  });
}

void communicator::sum_scatter(std::span<const double> parts, const std::vector<int>& counts,
                               std::span<double> mine) const {
  if (is_alone()) {
    std::ranges::copy(parts, mine.begin());
    return;
  }
  MPI_Reduce_scatter(parts.data(), mine.data(), counts.data(), MPI_DOUBLE, MPI_SUM, comm_);
}

double communicator::sum(double value) const {
  sum(std::span<double>(&value, 1));
  return value;
}

double communicator::min(double value) const {
  if (is_alone()) return value;
  MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MIN, comm_);
  return value;
}

double communicator::max(double value) const {
  if (is_alone()) return value;
  MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MAX, comm_);
  return value;
}

int communicator::min(int value) const {
  if (is_alone()) return value;
  MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT, MPI_MIN, comm_);
  return value;
}

void communicator::broadcast(std::span<double> values, int root) const {
  if (is_alone()) return;
  in_slices(values, [&](double* at, int n) { MPI_Bcast(at, n, MPI_DOUBLE, root, comm_); });
}

void communicator::broadcast(std::span<std::int64_t> values, int root) const {
  if (is_alone()) return;
  in_slices(values, [&](std::int64_t* at, int n) { MPI_Bcast(at, n, MPI_INT64_T, root, comm_); });
}

void communicator::broadcast(std::string& text, int root) const {
  if (is_alone()) return;
  auto length = static_cast<std::int64_t>(text.size());
  broadcast(std::span<std::int64_t>(&length, 1), root);
  text.resize(static_cast<std::size_t>(length));
  in_slices(std::span<char>(text),
            [&](char* at, int n) { MPI_Bcast(at, n, MPI_CHAR, root, comm_); });
}

void communicator::broadcast(std::vector<std::string>& texts, int root) const {
  if (is_alone()) return;
  auto count = static_cast<std::int64_t>(texts.size());
  broadcast(std::span<std::int64_t>(&count, 1), root);
  texts.resize(static_cast<std::size_t>(count));
  std::vector<std::int64_t> lengths;
  std::string joined;
  for (const auto& text : texts) {
    lengths.push_back(static_cast<std::int64_t>(text.size()));
    joined += text;
  }
  broadcast(std::span<std::int64_t>(lengths), root);
  broadcast(joined, root);
  std::size_t at = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    texts[i] = joined.substr(at, static_cast<std::size_t>(lengths[i]));
    at += texts[i].size();
  }
}

std::vector<std::string> communicator::gather(const std::string& text) const {
  std::vector<std::string> all;
  for (int from = 0; from < size_; ++from) {
    std::string one = rank_ == from ? text : std::string();
    broadcast(one, from);
    if (is_root()) all.push_back(std::move(one));
  }
  return all;
}

void communicator::send(std::span<const double> values, int to) const {
  in_slices(values, [&](const double* at, int n) { MPI_Send(at, n, MPI_DOUBLE, to, 0, comm_); });
}

void communicator::receive(std::span<double> values, int from) const {
  in_slices(values, [&](double* at, int n) {
    MPI_Recv(at, n, MPI_DOUBLE, from, 0, comm_, MPI_STATUS_IGNORE);
  });
}

void communicator::send(const std::string& text, int to) const {
  const auto length = static_cast<std::int64_t>(text.size());
  MPI_Send(&length, 1, MPI_INT64_T, to, 0, comm_);
  in_slices(std::span<const char>(text),
            [&](const char* at, int n) { MPI_Send(at, n, MPI_CHAR, to, 0, comm_); });
}

void communicator::receive(std::string& text, int from) const {
  std::int64_t length = 0;
  MPI_Recv(&length, 1, MPI_INT64_T, from, 0, comm_, MPI_STATUS_IGNORE);
  text.resize(static_cast<std::size_t>(length));
  in_slices(std::span<char>(text),
            [&](char* at, int n) { MPI_Recv(at, n, MPI_CHAR, from, 0, comm_, MPI_STATUS_IGNORE); });
}

}  // namespace berth::apps
