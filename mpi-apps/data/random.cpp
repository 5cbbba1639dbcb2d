#include "data/random.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace berth::apps {

namespace {

struct halves {
  std::uint32_t low;
  std::uint32_t high;
};

halves multiply(std::uint32_t a, std::uint32_t b) noexcept {
  const std::uint64_t product = std::uint64_t{a} * b;
  return {static_cast<std::uint32_t>(product), static_cast<std::uint32_t>(product >> 32)};
}

constexpr int rounds = 10;
constexpr std::uint32_t even_factor = 0xD2511F53U;
constexpr std::uint32_t odd_factor = 0xCD9E8D57U;

void advance(std::array<std::uint32_t, 2>& key) noexcept {
  key[0] += 0x9E3779B9U;
  key[1] += 0xBB67AE85U;
}

template <std::size_t N>
double polynomial(const std::array<double, N>& rising, double x) noexcept {
  double value = 0;
  for (std::size_t k = N; k-- > 0;) value = value * x + rising[k];
  return value;
}

using coefficients = std::array<double, 8>;

// AS 241: numerators and denominators of the centre, the near and the far tail.
constexpr coefficients centre_up{3.3871328727963666080e0, 1.3314166789178437745e2,
                                 1.9715909503065514427e3, 1.3731693765509461125e4,
                                 4.5921953931549871457e4, 6.7265770927008700853e4,
                                 3.3430575583588128105e4, 2.5090809287301226727e3};
constexpr coefficients centre_down{1.0,
                                   4.2313330701600911252e1,
                                   6.8718700749205790830e2,
                                   5.3941960214247511077e3,
                                   2.1213794301586595867e4,
                                   3.9307895800092710610e4,
                                   2.8729085735721942674e4,
                                   5.2264952788528545610e3};
constexpr coefficients near_up{1.42343711074968357734e0,  4.63033784615654529590e0,
                               5.76949722146069140550e0,  3.64784832476320460504e0,
                               1.27045825245236838258e0,  2.41780725177450611770e-1,
                               2.27238449892691845833e-2, 7.74545014278341407640e-4};
constexpr coefficients near_down{1.0,
                                 2.05319162663775882187e0,
                                 1.67638483018380384940e0,
                                 6.89767334985100004550e-1,
                                 1.48103976427480074590e-1,
                                 1.51986665636164571966e-2,
                                 5.47593808499534494600e-4,
                                 1.05075007164441684324e-9};
constexpr coefficients far_up{6.65790464350110377720e0,  5.46378491116411436990e0,
                              1.78482653991729133580e0,  2.96560571828504891230e-1,
                              2.65321895265761230930e-2, 1.24266094738807843860e-3,
                              2.71155556874348757815e-5, 2.01033439929228813265e-7};
constexpr coefficients far_down{1.0,
                                5.99832206555887937690e-1,
                                1.36929880922735805310e-1,
                                1.48753612908506148525e-2,
                                7.86869131145613259100e-4,
                                1.84631831751005468180e-5,
                                1.42151175831644588870e-7,
                                2.04426310338993978564e-15};

constexpr double centre_half_width = 0.425;

double centre_quantile(double p) noexcept {
  const double q = p - 0.5;
  const double r = centre_half_width * centre_half_width - q * q;
  return q * polynomial(centre_up, r) / polynomial(centre_down, r);
}

// philox() of several counters at once, for the compiler to vectorise.
template <std::size_t N>
void philox_side_by_side(std::array<std::array<std::uint32_t, N>, 4>& c,
                         std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t k = 0; k < N; ++k) {
      const auto even = multiply(even_factor, c[0][k]);
      const auto odd = multiply(odd_factor, c[2][k]);
      c[0][k] = odd.high ^ c[1][k] ^ key[0];
      c[1][k] = odd.low;
      c[2][k] = even.high ^ c[3][k] ^ key[1];
      c[3][k] = even.low;
    }
    advance(key);
  }
}

double tail_quantile(double p) noexcept {
  const double r = std::sqrt(-std::log(std::min(p, 1 - p)));
  const double size = r <= 5 ? polynomial(near_up, r - 1.6) / polynomial(near_down, r - 1.6)
                             : polynomial(far_up, r - 5) / polynomial(far_down, r - 5);
  return p < 0.5 ? -size : size;
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < rounds; ++round) {
    const auto even = multiply(even_factor, counter[0]);
    const auto odd = multiply(odd_factor, counter[2]);
    counter = {odd.high ^ counter[1] ^ key[0], odd.low, even.high ^ counter[3] ^ key[1], even.low};
    advance(key);
  }
  return counter;
}

// A double of [1, 2) from its bits: plain vector arithmetic, unlike a conversion of 64-bit
// integers.
double to_uniform(std::uint64_t bits) noexcept {
  return std::bit_cast<double>(bits >> 12 | 0x3FF0000000000000U) - 1 + 0x1p-53;
}

double normal_quantile(double p) noexcept {
  return std::abs(p - 0.5) > centre_half_width ? tail_quantile(p) : centre_quantile(p);
}

std::array<std::uint64_t, 2> row_random::pair(std::uint64_t block) const noexcept {
  const auto made = philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(row_),
                            static_cast<std::uint32_t>(row_ >> 32), purpose_},
                           key_);
  return {std::uint64_t{made[1]} << 32 | made[0], std::uint64_t{made[3]} << 32 | made[2]};
}

std::uint64_t row_random::bits(std::int64_t j) const noexcept {
  const auto index = static_cast<std::uint64_t>(j);
  return pair(index / 2)[index % 2];
}

double row_random::uniform(std::int64_t j) const noexcept {
  return to_uniform(bits(j));
}

double row_random::normal(std::int64_t j) const noexcept {
  return normal_quantile(uniform(j));
}

void row_random::normals(std::span<double> out) const noexcept {
  std::array<double, 2 * lanes> p;
  for (std::size_t first = 0; first < out.size(); first += p.size()) {
    uniforms(first / 2, p);
    const auto part = out.subspan(first, std::min(p.size(), out.size() - first));
    // The centre of all, without a branch, then the tails that a few are in.
    for (std::size_t k = 0; k < part.size(); ++k) part[k] = centre_quantile(p[k]);
    for (std::size_t k = 0; k < part.size(); ++k) {
      if (std::abs(p[k] - 0.5) > centre_half_width) part[k] = tail_quantile(p[k]);
    }
  }
}

void row_random::uniforms(std::uint64_t block, std::span<double, 2 * lanes> out) const noexcept {
  std::array<std::array<std::uint32_t, lanes>, 4> c;
  for (std::size_t k = 0; k < lanes; ++k) {
    c[0][k] = static_cast<std::uint32_t>(block + k);
    c[1][k] = static_cast<std::uint32_t>(row_);
    c[2][k] = static_cast<std::uint32_t>(row_ >> 32);
    c[3][k] = purpose_;
  }
  philox_side_by_side(c, key_);
  for (std::size_t k = 0; k < lanes; ++k) {
    out[2 * k] = to_uniform(std::uint64_t{c[1][k]} << 32 | c[0][k]);
    out[2 * k + 1] = to_uniform(std::uint64_t{c[3][k]} << 32 | c[2][k]);
  }
}

permutation::permutation(std::uint64_t seed, std::int64_t size) noexcept
    : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
      size_(static_cast<std::uint64_t>(size)),
      half_bits_((static_cast<unsigned>(std::bit_width(size_ - 1)) + 1) / 2) {}

std::uint64_t permutation::scramble(std::uint64_t value) const noexcept {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = value >> half_bits_;
  std::uint64_t right = value & mask;
  for (std::uint32_t round = 0; round < 4; ++round) {
    const auto made =
        philox({static_cast<std::uint32_t>(right), static_cast<std::uint32_t>(right >> 32), round,
                static_cast<std::uint32_t>(stream::shuffle)},
               key_);
    const auto next = left ^ (made[0] & mask);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

void permutation::scramble(std::array<std::uint64_t, lanes>& values) const noexcept {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::array<std::uint64_t, lanes> left;
  std::array<std::uint64_t, lanes> right;
  for (std::size_t k = 0; k < lanes; ++k) {
    left[k] = values[k] >> half_bits_;
    right[k] = values[k] & mask;
  }
  for (std::uint32_t round = 0; round < 4; ++round) {
    std::array<std::array<std::uint32_t, lanes>, 4> c;
    for (std::size_t k = 0; k < lanes; ++k) {
      c[0][k] = static_cast<std::uint32_t>(right[k]);
      c[1][k] = static_cast<std::uint32_t>(right[k] >> 32);
      c[2][k] = round;
      c[3][k] = static_cast<std::uint32_t>(stream::shuffle);
    }
    philox_side_by_side(c, key_);
    for (std::size_t k = 0; k < lanes; ++k) {
      const auto next = left[k] ^ (c[0][k] & mask);
      left[k] = right[k];
      right[k] = next;
    }
  }
  for (std::size_t k = 0; k < lanes; ++k) values[k] = left[k] << half_bits_ | right[k];
}

void permutation::values(std::int64_t first, std::span<std::int64_t> out) const noexcept {
  std::array<std::uint64_t, lanes> walking{};
  std::array<std::size_t, lanes> at;  // in `out`; its size: idle
  std::size_t next = 0;
  const auto begin = [&](std::size_t lane) {
    at[lane] = next;
    if (next == out.size()) return;
    walking[lane] = static_cast<std::uint64_t>(first) + next++;
  };
  for (std::size_t k = 0; k < lanes; ++k) begin(k);
  // A walk that is over makes room for the next one.
  for (auto left = out.size(); left > 0;) {
    scramble(walking);
    for (std::size_t k = 0; k < lanes; ++k) {
      if (at[k] == out.size() || walking[k] >= size_) continue;
      out[at[k]] = static_cast<std::int64_t>(walking[k]);
      --left;
      begin(k);
    }
  }
}

std::int64_t permutation::operator()(std::int64_t position) const noexcept {
  auto value = static_cast<std::uint64_t>(position);
  do {
    value = scramble(value);
  } while (value >= size_);
  return static_cast<std::int64_t>(value);
}

}  // namespace berth::apps
