// berth-slurm: what srun, sbatch and the others are in a container that has the node's Slurm. It
// starts the program of its own name through the node's loader, with the node's libraries. Linked
// statically: the image may have any C library, or none.

#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstring>
#include <vector>

#include "container/slurm_paths.hpp"

int main(int argc, char** argv) {
  using namespace berth::container;
  // Not argv[0], which is the caller's word.
  char self[PATH_MAX];
  const auto length = ::readlink("/proc/self/exe", self, sizeof self - 1);
  if (length <= 0) {
    std::perror("berth: /proc/self/exe");
    return 127;
  }
  self[length] = '\0';
  const char* slash = std::strrchr(self, '/');
  char program[2 * PATH_MAX];
  std::snprintf(program, sizeof program, "%s/%s", slurm_programs,
                slash == nullptr ? self : slash + 1);
  std::vector<const char*> words{slurm_loader, "--inhibit-cache", "--library-path", slurm_libraries,
                                 program};
  words.insert(words.end(), argv + (argc > 0 ? 1 : 0), argv + argc);
  words.push_back(nullptr);
  ::execv(slurm_loader, const_cast<char* const*>(words.data()));
  std::perror("berth: cannot start the node's Slurm");
  return 127;
}
