#pragma once
// OpenBLAS reads its settings when it is loaded, before main: changing them means starting again.

#include <string>

namespace berth::apps {

/// Makes OpenBLAS run one thread a rank unless OPENBLAS_NUM_THREADS or OMP_NUM_THREADS is set, and
/// use its AVX-512 kernels on AMD processors that it takes for AVX2 ones (OpenBLAS before 0.3.27),
/// unless OPENBLAS_CORETYPE is set. May replace the process by itself with that environment, once.
/// @pre called first in main, before MPI_Init
void set_up_blas(char** argv);

/// Threads that a BLAS call may use.
int blas_threads();

/// While it lives, BLAS calls of this process use `threads`, unless the environment says how many.
/// For work that one thread of the rank does alone, and whose bits depend on the ranks anyhow.
class more_blas_threads {
 public:
  explicit more_blas_threads(int threads);
  more_blas_threads(const more_blas_threads&) = delete;
  more_blas_threads& operator=(const more_blas_threads&) = delete;
  ~more_blas_threads();

 private:
  int before_;
};

/// The name of OpenBLAS' kernels where they leave this processor's AVX-512 unused; else empty.
std::string slow_blas_kernel();

}  // namespace berth::apps
