#pragma once
// What one row does to its fit, in closed form.
//
// Source: Belsley, Kuh and Welsch, Regression Diagnostics, 1980, chapter 2; Cook 1977; the names
// are those of R's rstandard(), rstudent() and cooks.distance().

namespace berth::apps {

/// Of one target.
struct residual_scale {
  double squares = 0;  // weighted sum of squared residuals
  double df = 0;       // degrees of freedom that are left
  double rank = 0;     // coefficients that were fitted
  /// A row whose 1 - leverage is not above this alone determines a coefficient: what leaving it
  /// out would do is not defined.
  double least_share = 0;
};

struct influence {
  double standardised = 0;    // e / (s sqrt(1 - h))
  double studentised = 0;     // e / (s' sqrt(1 - h)), s' of the fit without the row
  double cooks_distance = 0;  // of all fitted values, over rank s^2
  double deleted = 0;         // e / (1 - h): the residual of the fit without the row
};

/// `residual` times the root of its weight, and its leverage. NaN where it is not defined.
influence influence_of(const residual_scale& scale, double residual, double leverage);

}  // namespace berth::apps
