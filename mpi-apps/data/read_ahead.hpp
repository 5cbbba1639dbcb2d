#pragma once
// Tells the kernel which chunks will be read soon.

#include <atomic>
#include <cstdint>

#include "data/file_bytes.hpp"
#include "data/storage.hpp"

namespace berth::apps {

/// Narrow chunks are read by pieces that no read-ahead of the kernel foresees. Chunks that follow
/// each other in the file are announced together, each once.
class read_ahead {
 public:
  /// Both are borrowed. @pre `array` is chunked
  read_ahead(const array_storage& array, const file_bytes& file) : array_(&array), file_(&file) {}

  /// A read begins at `band`. Far before what was announced it is another pass, whose chunks may
  /// have left memory since. @pre no thread is in reach()
  void begin(std::int64_t band) noexcept;
  /// `band`, of chunks side by side, is read now: the next ones are announced. Any thread.
  void reach(std::int64_t band) noexcept;

 private:
  [[nodiscard]] std::int64_t bands_ahead() const noexcept;

  const array_storage* array_;
  const file_bytes* file_;
  std::atomic<std::int64_t> announced_{0};  // bands before this one, from where reading began
};

}  // namespace berth::apps
