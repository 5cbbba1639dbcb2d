#include "pinning/svg/colours.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <numbers>

namespace berth::pinning {
namespace {

// The plastic number, of which the R2 sequence uses the first two negative powers.
constexpr double plastic = 1.32471795724474602596;
constexpr double darkest = 0.63;
constexpr double lightest = 0.92;

using rgb = std::array<double, 3>;  // linear light, 0 to 1 when it can be shown

rgb from_oklch(double lightness, double chroma, double turns) {
  const auto a = chroma * std::cos(2 * std::numbers::pi * turns);
  const auto b = chroma * std::sin(2 * std::numbers::pi * turns);
  const auto l = std::pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
  const auto m = std::pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
  const auto s = std::pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
  return {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
          -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
          -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

bool can_be_shown(const rgb& colour) {
  return std::all_of(colour.begin(), colour.end(), [](double c) { return c >= 0 && c <= 1; });
}

int to_byte(double linear) {
  const auto encoded =
      linear <= 0.0031308 ? 12.92 * linear : 1.055 * std::pow(linear, 1 / 2.4) - 0.055;
  return static_cast<int>(std::lround(255 * encoded));
}

/// As colourful as asked, or as a screen can show at this lightness.
std::string hex(double lightness, double chroma, double turns) {
  auto colour = from_oklch(lightness, chroma, turns);
  for (; !can_be_shown(colour); colour = from_oklch(lightness, chroma, turns)) chroma *= 0.97;
  return fmt::format("#{:02x}{:02x}{:02x}", to_byte(colour[0]), to_byte(colour[1]),
                     to_byte(colour[2]));
}

double fraction(double x) {
  return x - std::floor(x);
}
double turns_of(int rank) {
  return fraction(55.0 / 360 + rank / plastic);
}

}  // namespace

std::string rank_colour(int rank) {
  assert(rank >= 0);
  const auto share = fraction(0.5 + rank / (plastic * plastic));
  return hex(darkest + (lightest - darkest) * share, 0.15, turns_of(rank));
}

std::string rank_tint(int rank) {
  return hex(0.965, 0.03, turns_of(rank));
}

}  // namespace berth::pinning
