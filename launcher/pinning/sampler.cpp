#include "pinning/sampler.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "base/text.hpp"

namespace berth::pinning {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds longest_pause{100};
constexpr int rest_per_work = 100;
// A fork bomb must not become this process's memory.
constexpr std::size_t most_threads = 65'536;

struct close_folder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

std::optional<int> number(std::string_view text) {
  const auto value = parse_unsigned(text);
  return value && *value <= 0x7fffffff ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

// A file of /proc that fits into `room`, or as much of it.
std::string_view read_short(int folder, const char* name, std::span<char> room) {
  const unique_fd fd(::openat(folder, name, O_RDONLY | O_CLOEXEC));
  const auto size = fd ? ::read(fd.get(), room.data(), room.size()) : -1;
  return size <= 0 ? std::string_view()
                   : std::string_view(room.data(), static_cast<std::size_t>(size));
}

// "4242 (a name) with (parentheses)) R 1 ...": the state is field 3, the CPU field 39.
std::optional<sighting> parse_stat(int thread, std::string_view text) {
  constexpr std::size_t fields_between = 36;
  const auto end_of_name = text.rfind(") ");
  if (end_of_name == std::string_view::npos || end_of_name + 2 >= text.size()) return std::nullopt;
  text.remove_prefix(end_of_name + 2);
  const char state = text.front();
  for (std::size_t i = 0; i < fields_between; ++i) {
    const auto blank = text.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    text.remove_prefix(blank + 1);
  }
  const auto cpu = number(text.substr(0, text.find(' ')));
  if (!cpu || state == 'Z' || state == 'X') return std::nullopt;
  return sighting{thread, *cpu, state == 'R'};
}

void add_children(std::string_view text, std::vector<pid_t>& to) {
  while (!text.empty()) {
    const auto blank = std::min(text.find(' '), text.size());
    if (const auto child = number(text.substr(0, blank))) to.push_back(*child);
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
}

// The threads of one process; its children go to `family`.
void look_at(pid_t process, std::vector<sighting>& threads, std::vector<pid_t>& family) {
  const std::unique_ptr<DIR, close_folder> folder(
      ::opendir(fmt::format("/proc/{}/task", process).c_str()));
  if (!folder) return;
  std::array<char, 65536> room;
  while (const auto* entry = ::readdir(folder.get())) {
    const auto thread = number(entry->d_name);
    if (!thread || threads.size() >= most_threads) continue;
    const unique_fd its(::openat(::dirfd(folder.get()), entry->d_name, O_PATH | O_CLOEXEC));
    if (!its) continue;
    if (const auto one = parse_stat(*thread, read_short(its.get(), "stat", room))) {
      threads.push_back(*one);
    }
    add_children(read_short(its.get(), "children", room), family);
  }
}

bool has_ended(const unique_fd& process) {
  pollfd entry{process.get(), POLLIN, 0};
  return ::poll(&entry, 1, 0) != 0;
}

}  // namespace

std::vector<sighting> threads_of(pid_t process) {
  std::vector<sighting> threads;
  std::vector<pid_t> family{process};
  for (std::size_t i = 0; i < family.size() && i < most_threads; ++i) {
    look_at(pid_t{family[i]}, threads, family);
  }
  return threads;
}

void sampler::watch(int number, pid_t process, unique_fd handle, std::vector<int> cpuset) {
  subjects_.insert_or_assign(number,
                             subject{process, std::move(handle), sightings(std::move(cpuset))});
}

void sampler::sample() {
  const auto begin = steady_clock::now();
  std::vector<sighting> everybody;
  std::vector<std::pair<subject*, std::vector<sighting>>> seen;
  for (auto& [number, one] : subjects_) {
    if (has_ended(one.handle)) continue;
    auto threads = threads_of(one.process);
    everybody.insert(everybody.end(), threads.begin(), threads.end());
    if (!threads.empty()) seen.emplace_back(&one, std::move(threads));
  }
  const auto crowded = crowded_cpus(everybody);
  for (auto& [one, threads] : seen) one->seen.add(threads, crowded);
  const auto end = steady_clock::now();
  pause_ = std::min(2 * pause_, longest_pause);
  next_ = end + std::max<steady_clock::duration>(pause_, rest_per_work * (end - begin));
}

std::optional<sightings> sampler::take(int number) {
  const auto found = subjects_.find(number);
  if (found == subjects_.end()) return std::nullopt;
  auto seen = std::move(found->second.seen);
  subjects_.erase(found);
  return seen;
}

}  // namespace berth::pinning
