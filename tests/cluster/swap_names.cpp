// swap_names A B: exchanges two names, as fast as the kernel can, until it is ended.

#include <fcntl.h>
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (::renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) == 0) {
  }
  std::perror("swap_names");
  return 1;
}
