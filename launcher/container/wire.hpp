#pragma once
// The few value types that cross the sockets between plugin, node helper and their children.
// Integers are little-endian; a string is its length and its bytes; a list is its count and items.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace berth::container {

class wire_writer {
 public:
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  void text(std::string_view value);
  void texts(const std::vector<std::string>& values);
  void numbers(const std::vector<std::uint32_t>& values);
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads what wire_writer wrote. The bytes may come from a hostile process: after anything that
/// does not fit, every further read gives zero or empty and `finish` reports the failure.
class wire_reader {
 public:
  /// `bytes` is borrowed.
  explicit wire_reader(std::string_view bytes) : rest_(bytes) {}
  std::uint32_t u32();
  std::uint64_t u64();
  std::string text();
  std::vector<std::string> texts();
  std::vector<std::uint32_t> numbers();
  /// False once something did not fit.
  [[nodiscard]] bool good() const noexcept { return !broken_; }
  /// Success when everything fitted and nothing is left over.
  [[nodiscard]] result<void> finish() const;

 private:
  std::string_view take(std::size_t count);
  std::string_view rest_;
  bool broken_ = false;
};

}  // namespace berth::container
