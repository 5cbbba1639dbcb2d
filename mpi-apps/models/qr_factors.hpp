#pragma once
// Triangular factors of the rows themselves: their condition enters once, not squared.

#include <optional>

#include "models/normal_system.hpp"

namespace berth::apps {

/// R of X = Q R and Q'Y, in the system's units, rows times the roots of their weights.
struct qr_factor {
  std::size_t order = 0;
  std::vector<double> root;     // order x order, row-major, upper triangle
  std::vector<double> targets;  // [targets x order]: Q'y
};

/// Householder QR of blocks of rows, combined along a tree of threads and ranks (TSQR). One pass.
/// Backward stable: R'R = (X + E)'(X + E), |e_j| <= c n u |x_j|. Cost 2 m n^2 / P flops and log2(P)
/// messages of n^2 numbers.
/// Source: Demmel, Grigori, Hoemmen and Langou, Communication-avoiding parallel and sequential QR,
/// SIAM J. Sci. Comput. 34(1), 2012. Errors: the pass. Collective, agreed.
result<qr_factor> factor_tsqr(const communicator& comm, const row_source& source,
                              const normal_system& system, int& passes);

/// Cholesky of the Gram matrix, twice: X R1^-1 is nearly orthogonal, and its factor corrects R1.
/// One pass more than the system's own. Good up to condition 1e8 (u^-1/2).
/// Source: Yamamoto, Nakatsukasa, Yanagisawa and Fukaya, Roundoff error analysis of the CholeskyQR2
/// algorithm, ETNA 44, 2015. Errors: the pass; Cholesky breaks down. Collective, agreed.
result<qr_factor> factor_cholesky_twice(const communicator& comm, const row_source& source,
                                        const normal_system& system, int& passes);

/// ScaLAPACK's PDGELS on a P x 1 grid. Holds two copies of the rank's rows. One pass.
/// Errors: sizes beyond ScaLAPACK's 32-bit integers, fewer rows than columns, memory.
/// Collective, agreed.
result<qr_factor> factor_scalapack(const communicator& comm, const row_source& source,
                                   const normal_system& system, int& passes);

/// R and R^-1. Nothing where R is singular to working precision.
std::optional<triangle_pair> triangles_of(const qr_factor& factor);

/// The columns that are combinations of the others, ascending: those whose pivots are below
/// order * 2^-52 of the largest when R is factored again with pivots (PDGEQPF on a square grid).
/// Empty where only their condition is bad. Collective, agreed.
result<std::vector<std::size_t>> dependent_columns(const communicator& comm,
                                                   const qr_factor& factor);

/// The shortest least squares solution by singular values of R (PDGESVD on a square grid), the
/// constant left out of the length; values below max(rows, order) * 2^-52 of the largest count as
/// zero, as in numpy.linalg.lstsq. Collective, agreed.
struct shortest_solution {
  std::vector<double> coefficients;  // [targets x order] in the units of the data
  std::size_t rank = 0;              // with the constant
};
result<shortest_solution> solve_svd(const communicator& comm, const normal_system& system,
                                    const qr_factor& factor);

}  // namespace berth::apps
