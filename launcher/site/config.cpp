#include "site/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <string_view>

#include "base/text.hpp"

namespace berth::site {
namespace {

constexpr std::size_t longest_list = 1024;
constexpr std::size_t longest_path = 4095;  // PATH_MAX without its end mark
constexpr std::size_t longest_value = 65536;
constexpr std::uint64_t smallest_size = std::uint64_t{1} << 20;
constexpr std::uint64_t largest_size = std::uint64_t{1} << 50;
constexpr std::uint64_t longest_idle = 7 * 24 * 3600;
constexpr std::size_t longest_partition = 255;
constexpr std::array<std::string_view, 9> policies = {
    "auto", "core", "l3", "numa", "package", "spread", "compact", "device", "none"};
constexpr std::array<std::string_view, 3> switches = {"smt", "verbose", "check"};
constexpr std::array<std::string_view, 4> memories = {"mem=local", "mem=interleave", "mem=hbm",
                                                      "mem=firsttouch"};

using problems = std::vector<problem>;

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string at(std::string_view key, std::size_t index) {
  return fmt::format("{}[{}]", key, index + 1);
}

bool has_part(std::string_view path, std::string_view unwanted) {
  const auto parts = split(path, '/');
  return std::find(parts.begin(), parts.end(), unwanted) != parts.end();
}

void check_path(problems& found, const std::string& key, const std::string& path) {
  if (path.empty()) {
    found.push_back({key, "is empty; write an absolute path"});
  } else if (has_control(path)) {
    found.push_back({key, "holds a control character"});
  } else if (path.size() > longest_path) {
    found.push_back({key, fmt::format("is longer than {} bytes", longest_path)});
  } else if (path.front() != '/') {
    found.push_back({key, fmt::format("\"{}\" is not an absolute path", path)});
  } else if (has_part(path, "..") || has_part(path, ".")) {
    found.push_back({key, fmt::format("\"{}\" holds \".\" or \"..\"; write it without", path)});
  }
}

template <class List>
bool check_length(problems& found, const std::string& key, const List& list) {
  if (list.size() <= longest_list) return true;
  found.push_back({key, fmt::format("has more than {} entries", longest_list)});
  return false;
}

void check_folders(problems& found, const std::string& key, const std::vector<std::string>& list) {
  if (!check_length(found, key, list)) return;
  for (std::size_t i = 0; i < list.size(); ++i) check_path(found, at(key, i), list[i]);
}

void check_mounts(problems& found, const std::vector<mount_rule>& mounts) {
  if (!check_length(found, "mounts", mounts)) return;
  std::map<std::string, std::string> targets;
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const auto key = at("mounts", i);
    check_path(found, key + ".source", mounts[i].source);
    if (mounts[i].target != mounts[i].source) check_path(found, key + ".target", mounts[i].target);
    if (mounts[i].target == "/") {
      found.push_back({key + ".target", "\"/\" would hide the whole image"});
    }
    const auto [first, fresh] = targets.emplace(mounts[i].target, key);
    if (!fresh) {
      found.push_back({key + ".target", fmt::format("\"{}\" is already the target of {}",
                                                    mounts[i].target, first->second)});
    }
  }
}

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && name.size() <= 255 && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || digit(c); });
}

void check_name(problems& found, const std::string& key, const std::string& name) {
  if (is_variable_name(name)) return;
  found.push_back({key, fmt::format("\"{}\" is not the name of an environment variable", name)});
}

void check_environment(problems& found, const environment_rules& rules) {
  if (!check_length(found, "environment.set", rules.set)) return;
  if (!check_length(found, "environment.unset", rules.unset)) return;
  for (const auto& [name, value] : rules.set) {
    const auto key = "environment.set." + name;
    check_name(found, key, name);
    if (value.find('\0') != std::string::npos) found.push_back({key, "holds a zero byte"});
    if (value.size() > longest_value) {
      found.push_back({key, fmt::format("is longer than {} bytes", longest_value)});
    }
  }
  for (std::size_t i = 0; i < rules.unset.size(); ++i) {
    const auto key = at("environment.unset", i);
    check_name(found, key, rules.unset[i]);
    if (rules.set.count(rules.unset[i]) != 0) {
      found.push_back({key, fmt::format("\"{}\" is also set; keep one of both", rules.unset[i])});
    }
  }
}

template <std::size_t N>
std::ptrdiff_t count_of(const std::vector<std::string>& words,
                        const std::array<std::string_view, N>& known) {
  return std::count_if(words.begin(), words.end(), [&](const auto& word) {
    return std::find(known.begin(), known.end(), word) != known.end();
  });
}

// Words of --pin as launcher/pinning reads them, but for those that make sense for one job only:
// map:, mask:, the name of a device, dry-run.
void check_pin(problems& found, const std::string& key, const std::string& pin) {
  auto words = split(pin, ',');
  std::sort(words.begin(), words.end());
  const auto policy = count_of(words, policies) +
                      std::count(words.begin(), words.end(), "device:gpu") +
                      std::count(words.begin(), words.end(), "device:network");
  const auto memory = count_of(words, memories);
  const auto known = policy + memory + count_of(words, switches);
  const bool twice = std::adjacent_find(words.begin(), words.end()) != words.end();
  if (policy <= 1 && memory <= 1 && known == std::ssize(words) && !twice) return;
  found.push_back({key, fmt::format("\"{}\" is not one of {}, after commas perhaps {}, {}", pin,
                                    fmt::join(policies, ", "), fmt::join(switches, ", "),
                                    fmt::join(memories, ", "))});
}

void check_partitions(problems& found, const std::map<std::string, std::string>& pins) {
  if (!check_length(found, "pin.partitions", pins)) return;
  for (const auto& [partition, pin] : pins) {
    const auto key = "pin.partitions." + partition;
    if (partition.empty() || partition.size() > longest_partition || has_control(partition)) {
      found.push_back({key, "is not the name of a partition"});
    }
    check_pin(found, key, pin);
  }
}

void check_size(problems& found, const std::string& key, std::uint64_t size) {
  if (size >= smallest_size && size <= largest_size) return;
  found.push_back({key, fmt::format("{} bytes is not between 1M and 1024T", size)});
}

void check_idle(problems& found, std::uint64_t seconds) {
  if (seconds <= longest_idle) return;
  found.push_back({"warm_mounts.idle_seconds", fmt::format("{} is more than a week", seconds)});
}

}  // namespace

const std::string& default_pin(const config& rules, const std::string& partition) {
  const auto own = rules.pin_partitions.find(partition);
  return own == rules.pin_partitions.end() ? rules.pin : own->second;
}

std::vector<problem> find_problems(const config& rules) {
  problems found;
  check_folders(found, "images.folders", rules.images.folders);
  check_folders(found, "images.trusted", rules.images.trusted);
  check_mounts(found, rules.mounts);
  check_folders(found, "user_mounts.allowed", rules.user_mounts.allowed);
  check_folders(found, "user_mounts.forbidden", rules.user_mounts.forbidden);
  check_path(found, "cache.folder", rules.cache.folder);
  check_size(found, "cache.quota", rules.cache.quota);
  check_path(found, "stage.folder", rules.stage.folder);
  check_idle(found, rules.warm_mounts.idle_seconds);
  check_environment(found, rules.environment);
  check_pin(found, "pin.default", rules.pin);
  check_partitions(found, rules.pin_partitions);
  check_size(found, "overlay_size", rules.overlay_size);
  return found;
}

result<void> validate(const config& rules) {
  const auto found = find_problems(rules);
  if (found.empty()) return {};
  return fail(fmt::format("{}: {}", found.front().key, found.front().text));
}

}  // namespace berth::site
