#pragma once
// What a fit in double precision leaves for later ones: sums that go on without the rows.
//
// X'WX is as good as the fit's own sums or factor are: X'X + E. Refinement knows better than that:
// residuals of its coefficients b, and X'W r, to twofold precision. So the sums that are kept have
//
//   X'Wy := (X'X + E) b + X'W r      y'Wy := b'(X'X + E) b + 2 b'X'W r + r'W r
//
// Solving them gives back the refined b, every digit, and its residual squares; after rows are
// added or taken away, and the solution has become b + d, what is wrong with it is (X'X)^-1 E d,
// not (X'X)^-1 E b. Seminormal equations (Bjorck 1987) in the form of sums.

#include "gram/residual.hpp"
#include "models/qr_factors.hpp"

namespace berth::apps {

inline constexpr std::int64_t most_kept_features = 4000;  // 256 MB of sums

/// Whether sums of so many columns are kept.
bool is_kept(const gram_matrix& sums) noexcept;

/// The sums of `system` with R'R in place of X'WX, multiplied out in twofold precision: the digits
/// of R stay. Collective.
gram_matrix sums_of_factor(const communicator& comm, const normal_system& system,
                           const qr_factor& factor);

/// `sums` with X'Wy and y'Wy of coefficients [targets x (features + 1)] in the units of its
/// columns, the constant last, and of their residuals. Cost: features^2 operations a target.
std::shared_ptr<const gram_pass> keep_sums(gram_pass sums, const std::vector<double>& coefficients,
                                           const residual_sums& residuals);

}  // namespace berth::apps
