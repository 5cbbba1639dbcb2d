#pragma once
// Sums of doubles without rounding: the same for any order and any number of ranks.

#include <array>
#include <cstdint>
#include <span>

namespace berth::apps {

/// A fixed-point number wide enough for every finite double, kept as digits of 32 bits in 64-bit
/// words, so that 2^31 additions need no carry and sums of sums are element by element.
/// Source: Kulisch, "Computer Arithmetic and Validity", 2008, chapter 8.
class exact_sum {
 public:
  static constexpr std::size_t digits = 68;

  /// @pre value is finite
  void add(double value) noexcept;
  /// To be summed over ranks, element by element; carried by this call.
  [[nodiscard]] std::span<std::int64_t> words() noexcept;
  /// The sum to within an ulp, the same for equal sums.
  [[nodiscard]] double value() noexcept;

 private:
  void carry() noexcept;
  std::array<std::int64_t, digits> words_{};
  std::int64_t added_ = 0;
};

}  // namespace berth::apps
