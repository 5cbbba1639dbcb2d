// Prints one line per rank with the sum over all ranks, so that a rank that is alone is noticed.
#include <mpi.h>
#include <unistd.h>

#include <array>
#include <cstdio>

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  int size = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  int sum = 0;
  MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  std::array<char, MPI_MAX_PROCESSOR_NAME> node{};
  int length = 0;
  MPI_Get_processor_name(node.data(), &length);
  std::printf("rank %d of %d on %s, sum of ranks %d\n", rank, size, node.data(), sum);
#ifdef MPICH
  // MPICH 4.0 over UCX's TCP hangs in MPI_Finalize, one time in six on two nodes, in a container or
  // without. What was shown above is all that is asked of it.
  std::fflush(stdout);
  MPI_Barrier(MPI_COMM_WORLD);
  ::_exit(0);
#endif
  MPI_Finalize();
}
