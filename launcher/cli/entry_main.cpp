// berth-entry: what a task of a container runs first where words stand before its command
// (container/entry.hpp). It is linked statically: the image's libraries are not for it.

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "container/entry.hpp"

namespace {

// As docker and the shells: 126 cannot be run, 127 is not there.
constexpr int not_executable = 126;
constexpr int not_found = 127;

}  // namespace

int main(int argc, char** argv) {
  using namespace berth::container;
  const char* given = std::getenv(entry_variable);
  if (given == nullptr) {
    std::fputs("berth-entry is run by the Slurm plugin\n", stderr);
    return 2;
  }
  // The file to run, then its words; what stands behind this program's own name follows them.
  auto words = decode_words(given);
  ::unsetenv(entry_variable);
  std::vector<char*> whole;
  for (auto word = words.begin() + 1; word != words.end(); ++word) whole.push_back(word->data());
  for (int i = 1; i < argc; ++i) whole.push_back(argv[i]);
  whole.push_back(nullptr);
  ::execv(words.front().c_str(), whole.data());
  const int problem = errno;
  std::fprintf(stderr, "berth: cannot run the entrypoint \"%s\": %s\n", words.front().c_str(),
               std::strerror(problem));
  return problem == ENOENT ? not_found : not_executable;
}
