#include "container/process_mark.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "base/file.hpp"
#include "base/text.hpp"

namespace berth::container {
namespace {

constexpr std::size_t file_limit = 65536;
constexpr std::size_t state_field = 0;   // of what follows the name
constexpr std::size_t start_field = 19;  // "(22) starttime" of proc_pid_stat(5)

struct sighting {
  char state = '?';
  std::uint64_t start = 0;
};

std::optional<sighting> look_at(pid_t pid) {
  const auto text = read_file(fmt::format("/proc/{}/stat", pid), file_limit);
  if (!text) return std::nullopt;
  // The name, which may hold anything, is between the first and the last parenthesis.
  const auto name_end = text->rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  const auto fields = split(trim(std::string_view(*text).substr(name_end + 1)), ' ');
  if (fields.size() <= start_field || fields[state_field].size() != 1) return std::nullopt;
  const auto start = parse_unsigned(fields[start_field]);
  return start ? std::optional(sighting{fields[state_field].front(), *start}) : std::nullopt;
}

std::optional<pid_t> number_of(int pidfd) {
  constexpr std::string_view key = "Pid:";
  const auto info = read_file(fmt::format("/proc/self/fdinfo/{}", pidfd), file_limit);
  if (!info) return std::nullopt;
  for (const auto& line : split(*info, '\n')) {
    if (!line.starts_with(key)) continue;
    // -1 once it has ended.
    const auto pid = parse_unsigned(trim(std::string_view(line).substr(key.size())));
    return pid && *pid > 0 ? std::optional(static_cast<pid_t>(*pid)) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

result<process_mark> mark_process(int pidfd) {
  const auto pid = number_of(pidfd);
  const auto seen = pid ? look_at(*pid) : std::nullopt;
  // Looked at twice: only now is it certain that the number was still its own.
  if (seen && number_of(pidfd)) return process_mark{*pid, seen->start};
  return fail_errno("cannot find the process", ESRCH);
}

std::optional<unique_fd> open_process(const process_mark& mark) {
  unique_fd process(static_cast<int>(::syscall(SYS_pidfd_open, mark.pid, 0)));
  const auto seen = process ? look_at(mark.pid) : std::nullopt;
  constexpr std::string_view lost = "ZXxTt";
  if (!seen || seen->start != mark.start || lost.find(seen->state) != std::string_view::npos) {
    return std::nullopt;
  }
  return process;
}

bool ends_before(int pidfd, std::chrono::steady_clock::time_point deadline) {
  using namespace std::chrono;
  const auto left = ceil<milliseconds>(deadline - steady_clock::now()).count();
  pollfd entry{pidfd, POLLIN, 0};
  return ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) > 0;
}

void end_processes(const std::vector<unique_fd>& pidfds, std::chrono::milliseconds patience) {
  const auto asked = std::chrono::steady_clock::now() + patience;
  for (const auto& one : pidfds) {
    if (!ends_before(one.get(), asked)) {
      ::syscall(SYS_pidfd_send_signal, one.get(), SIGKILL, nullptr, 0);
    }
  }
  const auto killed = std::chrono::steady_clock::now() + patience;
  for (const auto& one : pidfds) ends_before(one.get(), killed);
}

}  // namespace berth::container
