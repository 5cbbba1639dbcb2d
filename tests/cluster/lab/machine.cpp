#include "machine.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/file.hpp"
#include "base/text.hpp"

namespace berth::test {

namespace fs = std::filesystem;

namespace {

// Empty for what is gone by now, as processes come and go.
std::string slurp(const fs::path& path) {
  return read_file(path.string(), 1 << 20).value_or(std::string{});
}

// The state letter follows the command name, which is in parentheses and may contain anything.
bool is_zombie(pid_t process) {
  const std::string stat = slurp("/proc/" + std::to_string(process) + "/stat");
  const auto end = stat.rfind(')');
  return end == std::string::npos || stat.substr(end + 2, 1) == "Z";
}

}  // namespace

std::vector<pid_t> processes() {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto number = parse_unsigned(entry.path().filename().string());
    if (number && !is_zombie(static_cast<pid_t>(*number))) {
      found.push_back(static_cast<pid_t>(*number));
    }
  }
  return found;
}

std::vector<std::string> arguments_of(pid_t process) {
  std::string line = slurp("/proc/" + std::to_string(process) + "/cmdline");
  if (line.empty()) return {};
  if (line.back() == '\0') line.pop_back();
  return split(line, '\0');
}

std::set<std::string> namespaces_of(pid_t process) {
  static constexpr std::array kinds = {"pid", "net", "mnt", "ipc", "uts"};
  std::set<std::string> found;
  for (const char* kind : kinds) {
    std::error_code gone;
    const auto link = fs::read_symlink("/proc/" + std::to_string(process) + "/ns/" + kind, gone);
    if (!gone) found.insert(link.string());
  }
  return found;
}

std::vector<pid_t> processes_in(const std::set<std::string>& namespaces) {
  std::vector<pid_t> found;
  for (const pid_t process : processes()) {
    const auto own = namespaces_of(process);
    const bool shared = std::any_of(own.begin(), own.end(),
                                    [&](const auto& one) { return namespaces.contains(one); });
    if (shared) found.push_back(process);
  }
  return found;
}

std::set<std::string> network_links() {
  std::set<std::string> found;
  for (const auto& entry : fs::directory_iterator("/sys/class/net")) {
    found.insert(entry.path().filename().string());
  }
  return found;
}

std::set<std::string> mounts() {
  const auto lines = split(slurp("/proc/self/mountinfo"), '\n');
  return {lines.begin(), lines.end()};
}

std::set<std::string> loop_files() {
  std::set<std::string> found;
  for (const auto& entry : fs::directory_iterator("/sys/block")) {
    const std::string file = slurp(entry.path() / "loop" / "backing_file");
    if (!file.empty()) found.emplace(trim(file));
  }
  return found;
}

}  // namespace berth::test
