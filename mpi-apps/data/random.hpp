#pragma once
// Random numbers that are a pure function of (seed, stream, row, column): any rank can make any
// row, so the data are the same on any number of ranks.

#include <array>
#include <cstdint>
#include <span>

namespace berth::apps {

/// Philox4x32-10: a bijection of the 128-bit counter for each 64-bit key.
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key) noexcept;

/// What the numbers are for; different streams of a seed are independent.
enum class stream : std::uint32_t {
  features,
  noise,
  labels,
  coefficients,
  intercepts,
  pattern,
  shuffle
};

/// The numbers of one row of one stream: number j is the same whenever and wherever it is asked
/// for.
class row_random {
 public:
  /// @pre row >= 0
  row_random(std::uint64_t seed, stream purpose, std::int64_t row) noexcept
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        row_(static_cast<std::uint64_t>(row)),
        purpose_(static_cast<std::uint32_t>(purpose)) {}

  /// 64 random bits. @pre 0 <= j < 2^28
  [[nodiscard]] std::uint64_t bits(std::int64_t j) const noexcept;
  /// Uniform in (0, 1), never 0 or 1: odd multiples of 2^-53.
  [[nodiscard]] double uniform(std::int64_t j) const noexcept;
  /// Standard normal.
  [[nodiscard]] double normal(std::int64_t j) const noexcept;
  /// Numbers 0, 1, ... of normal() into `out`: a fraction of the price of one by one.
  void normals(std::span<double> out) const noexcept;

 private:
  static constexpr std::size_t lanes = 32;
  void uniforms(std::uint64_t block, std::span<double, 2 * lanes> out) const noexcept;
  [[nodiscard]] std::array<std::uint64_t, 2> pair(std::uint64_t block) const noexcept;

  std::array<std::uint32_t, 2> key_;
  std::uint64_t row_;
  std::uint32_t purpose_;
};

/// Uniform in (0, 1) from the upper 52 of 64 random bits.
double to_uniform(std::uint64_t bits) noexcept;

/// Quantile of the standard normal to about 1e-16 relative. @pre 0 < p < 1
/// Source: Wichura, "Algorithm AS 241", Applied Statistics 37 (1988), PPND16.
double normal_quantile(double p) noexcept;

/// A bijection of 0 .. size-1 that looks random; position and value need no table.
/// Source: a Feistel network of four Philox rounds over the next power of four, walked until the
/// value is in range (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002).
class permutation {
 public:
  /// @pre size >= 1
  permutation(std::uint64_t seed, std::int64_t size) noexcept;
  /// @pre 0 <= position < size
  [[nodiscard]] std::int64_t operator()(std::int64_t position) const noexcept;
  /// Values of positions `first` and those after it: a fraction of the price of one by one.
  /// @pre 0 <= first, first + out.size() <= size
  void values(std::int64_t first, std::span<std::int64_t> out) const noexcept;

 private:
  static constexpr std::size_t lanes = 32;
  [[nodiscard]] std::uint64_t scramble(std::uint64_t value) const noexcept;
  void scramble(std::array<std::uint64_t, lanes>& values) const noexcept;

  std::array<std::uint32_t, 2> key_;
  std::uint64_t size_;
  unsigned half_bits_;
};

}  // namespace berth::apps
