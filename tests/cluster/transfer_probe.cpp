// Sends 64 MiB from rank 0 to rank 1 and tells how many bytes went straight from one process's
// memory into the other's (cross-memory attach, CMA): MPI's calls of process_vm_readv and
// process_vm_writev pass through here on their way to the kernel.

#include <mpi.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <vector>

namespace {

long copied = 0;

ssize_t counted(ssize_t bytes) {
  if (bytes > 0) copied += bytes;
  return bytes;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) ssize_t process_vm_readv(
    pid_t pid, const iovec* local, unsigned long local_count, const iovec* remote,
    unsigned long remote_count, unsigned long flags) noexcept {
  return counted(
      ::syscall(SYS_process_vm_readv, pid, local, local_count, remote, remote_count, flags));
}

extern "C" __attribute__((visibility("default"))) ssize_t process_vm_writev(
    pid_t pid, const iovec* local, unsigned long local_count, const iovec* remote,
    unsigned long remote_count, unsigned long flags) noexcept {
  return counted(
      ::syscall(SYS_process_vm_writev, pid, local, local_count, remote, remote_count, flags));
}

int main(int argc, char** argv) {
  constexpr std::size_t words = (std::size_t{64} << 20) / sizeof(std::uint64_t);
  MPI_Init(&argc, &argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  std::vector<std::uint64_t> data(words);
  if (rank == 0) {
    for (std::size_t i = 0; i < words; ++i) data[i] = i * i;
    MPI_Send(data.data(), static_cast<int>(words), MPI_UINT64_T, 1, 0, MPI_COMM_WORLD);
  } else if (rank == 1) {
    MPI_Recv(data.data(), static_cast<int>(words), MPI_UINT64_T, 0, 0, MPI_COMM_WORLD,
             MPI_STATUS_IGNORE);
  }
  bool whole = true;
  for (std::size_t i = 0; i < words; ++i) whole = whole && data[i] == i * i;
  long all = 0;
  MPI_Reduce(&copied, &all, 1, MPI_LONG, MPI_SUM, 0, MPI_COMM_WORLD);
  int both = 0;
  const int mine = whole ? 1 : 0;
  MPI_Reduce(&mine, &both, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
  if (rank == 0) std::printf("{\"whole\":%s,\"copied\":%ld}\n", both == 2 ? "true" : "false", all);
  MPI_Finalize();
  return 0;
}
