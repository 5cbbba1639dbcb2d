#pragma once
// MPI's library and communicator as types that own what they hold.

#include <mpi.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace berth::apps {

/// MPI from construction to destruction; one per process. It does not finalize while an exception
/// unwinds: the other ranks may be inside a collective, and MPI_Finalize would wait for them.
class mpi_session {
 public:
  mpi_session(int& argc, char**& argv);
  ~mpi_session();
  mpi_session(const mpi_session&) = delete;
  mpi_session& operator=(const mpi_session&) = delete;

 private:
  int exceptions_at_start_;
};

/// An owned communicator. Every member but rank() and size() is collective: all ranks call it.
/// MPI's default error handler ends the job on failure, so nothing here returns an error.
class communicator {
 public:
  /// A duplicate of MPI_COMM_WORLD. @pre an mpi_session is alive, and outlives this.
  static communicator of_world();
  /// One rank without MPI: starting MPI for a single process costs a third of a second. handle()
  /// is MPI_COMM_NULL.
  static communicator alone() noexcept { return {}; }
  /// The same ranks in a communicator of its own. Collective.
  [[nodiscard]] communicator duplicate() const;
  communicator(communicator&& other) noexcept;
  communicator& operator=(communicator&& other) noexcept;
  ~communicator();

  [[nodiscard]] int rank() const noexcept { return rank_; }
  [[nodiscard]] int size() const noexcept { return size_; }
  [[nodiscard]] bool is_root() const noexcept { return rank_ == 0; }
  [[nodiscard]] MPI_Comm handle() const noexcept { return comm_; }

  void barrier() const;
  /// Element by element over the ranks, in place, the same bits on every rank.
  void sum(std::span<double> values) const;
  void sum(std::span<long double> values) const;
  void sum(std::span<std::int64_t> values) const;
  [[nodiscard]] double sum(double value) const;
  /// `parts` holds counts[0] numbers for rank 0, then counts[1] for rank 1, ...; each rank gets the
  /// sum of its own in `mine`. @pre mine.size() == counts[rank()]
  void sum_scatter(std::span<const double> parts, const std::vector<int>& counts,
                   std::span<double> mine) const;
  void max(std::span<double> values) const;
  [[nodiscard]] double min(double value) const;
  [[nodiscard]] double max(double value) const;
  [[nodiscard]] int min(int value) const;

  void broadcast(std::span<double> values, int root = 0) const;
  void broadcast(std::span<std::int64_t> values, int root = 0) const;
  void broadcast(std::string& text, int root = 0) const;
  void broadcast(std::vector<std::string>& texts, int root = 0) const;
  /// One text per rank in rank order on rank 0; empty elsewhere.
  [[nodiscard]] std::vector<std::string> gather(const std::string& text) const;

  /// Point to point, any length: send() on one rank matches receive() on the other.
  void send(std::span<const double> values, int to) const;
  void receive(std::span<double> values, int from) const;
  void send(const std::string& text, int to) const;
  void receive(std::string& text, int from) const;

 private:
  communicator() = default;
  explicit communicator(MPI_Comm comm);
  [[nodiscard]] bool is_alone() const noexcept { return comm_ == MPI_COMM_NULL; }
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace berth::apps
