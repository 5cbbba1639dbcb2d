// berth-entry: what a task of a container runs first where words stand before its command, or where
// the container is saved behind it (container/entry.hpp). It is linked statically: the image's
// libraries are not for it.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
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

[[noreturn]] void execute(const std::string& file, char* const* argv) {
  ::execv(file.c_str(), argv);
  const int problem = errno;
  std::fprintf(stderr, "berth: cannot run \"%s\": %s\n", file.c_str(), std::strerror(problem));
  std::exit(problem == ENOENT ? not_found : not_executable);
}

struct saving {
  int ended = -1;
  int alive = -1;
  int saver = -1;
};

// The answer of berth-save: one line, empty when the image is there.
std::string ask_to_save(int saver) {
  std::string answer;
  std::array<char, 512> some{};
  if (::write(saver, "s", 1) != 1) return "the process that would write it is gone";
  while (true) {
    const auto n = ::read(saver, some.data(), some.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return "the process that would write it has ended";
    answer.append(some.data(), static_cast<std::size_t>(n));
    if (answer.back() == '\n') return answer.substr(0, answer.size() - 1);
  }
}

// As the command ended: Slurm sees this process instead.
[[noreturn]] void end_as(int status) {
  if (!WIFSIGNALED(status)) ::_exit(WEXITSTATUS(status));
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::signal(WTERMSIG(status), SIG_DFL);
  ::raise(WTERMSIG(status));
  ::_exit(128 + WTERMSIG(status));
}

// Signals of the step reach the command itself.
[[noreturn]] void attend(pid_t command, const saving& how) {
  for (int signal = 1; signal < NSIG; ++signal) {
    if (signal != SIGCHLD) ::signal(signal, SIG_IGN);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  int status = 0;
  while (::waitpid(command, &status, 0) < 0 && errno == EINTR) {
  }
  ::close(how.alive);
  if (how.saver < 0) end_as(status);
  char nothing = 0;
  while (::read(how.ended, &nothing, 1) < 0 && errno == EINTR) {
  }
  const auto problem = ask_to_save(how.saver);
  if (problem.empty()) end_as(status);
  std::fprintf(stderr, "berth: --container-save: %s\n", problem.c_str());
  end_as(status == 0 ? 1 << 8 : status);
}

void run_and_save(const char* text, const std::string& file, char* const* argv) {
  saving how;
  if (std::sscanf(text, "%d:%d:%d", &how.ended, &how.alive, &how.saver) != 3) std::exit(2);
  ::unsetenv(berth::container::save_variable);
  // Until either knows what it is: signals of the step are for the command.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, &before);
  const auto command = ::fork();
  if (command < 0) {
    std::fprintf(stderr, "berth: cannot fork: %s\n", std::strerror(errno));
    std::exit(not_executable);
  }
  if (command > 0) attend(command, how);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  for (const auto fd : {how.ended, how.alive, how.saver}) ::close(fd);
  execute(file, argv);
}

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
  if (const char* text = std::getenv(save_variable)) {
    run_and_save(text, words.front(), whole.data());
  }
  execute(words.front(), whole.data());
}
