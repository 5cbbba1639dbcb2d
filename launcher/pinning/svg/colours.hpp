#pragma once
// One colour per rank, for any number of ranks.

#include <string>

namespace berth::pinning {

/// Fill of a rank's PUs as "#rrggbb"; black text on it has a contrast of at least 5.5 to 1 (WCAG).
/// The first 256 ranks differ pairwise. Ranks that follow each other also differ in lightness, so
/// that they stay apart in greyscale and for colour-blind readers.
/// Hue and lightness take the steps of the R2 sequence (M. Roberts, "The unreasonable effectiveness
/// of quasirandom sequences", 2018), which fills the plane evenly for every number of points; the
/// plane is that of OKLCH (B. Ottosson, "A perceptual color space for image processing", 2020).
/// @pre rank >= 0
std::string rank_colour(int rank);

/// The same hue close to white, for PUs of the rank on which no thread of it is placed.
std::string rank_tint(int rank);

}  // namespace berth::pinning
