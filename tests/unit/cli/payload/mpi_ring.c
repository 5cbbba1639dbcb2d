// Sums the ranks over a ring of messages and says in which root file system it runs.
#include <mpi.h>
#include <stdio.h>

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  int ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  int sum = 0;
  int mine = rank;
  for (int i = 0; i < ranks; ++i) {
    sum += mine;
    MPI_Sendrecv_replace(&mine, 1, MPI_INT, (rank + 1) % ranks, 0, (rank + ranks - 1) % ranks, 0,
                         MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }
  char system[64] = "";
  FILE* release = fopen("/etc/os-release", "r");
  if (release != NULL) {
    if (fscanf(release, "%63[^\n]", system) != 1) system[0] = '\0';
    fclose(release);
  }
  printf("rank %d of %d: sum %d on %s\n", rank, ranks, sum, system);
  MPI_Finalize();
  return 0;
}
