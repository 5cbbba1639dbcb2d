#pragma once
// The file of a checkpoint, on rank 0.

#include <optional>
#include <string>

#include "common/atomic_file.hpp"
#include "common/hdf5.hpp"
#include "models/checkpoint.hpp"

namespace berth::apps {

/// Writes a checkpoint node by node; the file appears on finish(). Errors: blame::run.
class checkpoint_writer {
 public:
  static result<checkpoint_writer> create(const std::string& path, const saved_pass& pass,
                                          const checkpoint_identity& identity, std::int64_t nodes);
  result<void> add(const sum_node& node);
  result<void> finish();

 private:
  checkpoint_writer(atomic_file output, hdf5_file file, std::int64_t length)
      : output_(std::move(output)), file_(std::move(file)), length_(length) {}
  result<void> write_row(const char* name, const buffer<double>& values);

  atomic_file output_;
  hdf5_file file_;
  std::int64_t length_;
  std::vector<double> levels_;
  std::vector<double> indices_;
};

/// Reads what checkpoint_writer wrote. Errors: blame::input.
class checkpoint_reader {
 public:
  static result<checkpoint_reader> open(const std::string& path);
  [[nodiscard]] const saved_pass& pass() const noexcept { return pass_; }
  [[nodiscard]] const checkpoint_identity& identity() const noexcept { return identity_; }
  /// Node `at` of pass().levels.
  result<partial_sums> read(std::size_t at) const;

 private:
  result<void> read_header();
  hdf5_file file_;
  saved_pass pass_;
  checkpoint_identity identity_;
};

}  // namespace berth::apps
