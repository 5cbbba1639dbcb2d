#pragma once
// Tail probabilities of the distributions that tests of coefficients need.

namespace berth::apps {

/// Regularised incomplete beta function I_x(a, b), to about 1e-14. @pre a, b > 0, 0 <= x <= 1
/// Source: continued fraction DLMF 8.17.22, evaluated by the modified Lentz method.
double incomplete_beta(double a, double b, double x);

/// P(|T| > |t|) for Student's t with `df` degrees of freedom; NaN unless df > 0.
double two_sided_t(double t, double df);

/// P(|Z| > |z|) for the standard normal.
double two_sided_normal(double z);

/// P(F > f) for the F distribution; NaN unless both degrees of freedom are positive.
double upper_f(double f, double df1, double df2);

}  // namespace berth::apps
