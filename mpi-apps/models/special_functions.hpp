#pragma once
// Tail probabilities of the distributions that tests of coefficients need, and their inverses.

namespace berth::apps {

/// Regularised incomplete beta function I_x(a, b), to about 1e-15. @pre a, b > 0, 0 <= x <= 1
/// Source: continued fraction DLMF 8.17.22, evaluated by the modified Lentz method.
double incomplete_beta(double a, double b, double x);

/// P(|T| > |t|) for Student's t with `df` degrees of freedom; NaN unless df > 0.
double two_sided_t(double t, double df);

/// P(|Z| > |z|) for the standard normal.
double two_sided_normal(double z);

/// P(F > f) for the F distribution; NaN unless both degrees of freedom are positive.
double upper_f(double f, double df1, double df2);

// Inverses: the value x >= 0 whose tail has probability `alpha`, as exact as the tail is. NaN
// unless 0 <= alpha <= 1 and the degrees of freedom are positive; infinite for alpha = 0.

/// P(|T| > t) = alpha: the half-width of a confidence interval of level 1 - alpha.
double quantile_two_sided_t(double alpha, double df);
/// P(|Z| > z) = alpha.
double quantile_two_sided_normal(double alpha);
/// P(F > f) = alpha.
double quantile_upper_f(double alpha, double df1, double df2);

}  // namespace berth::apps
