#include "image/enroot_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"

namespace berth::image {
namespace {

constexpr std::size_t most_entries = 256;
constexpr std::size_t longest_value = std::size_t{128} << 10;

bool is_name(std::string_view name) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
  return !name.empty() && letters.find(name.front()) != std::string_view::npos &&
         std::all_of(name.begin(), name.end(), [&](char c) {
           return letters.find(c) != std::string_view::npos || (c >= '0' && c <= '9');
         });
}

std::string_view unquoted(std::string_view value) {
  const bool quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
                      value.front() == value.back();
  return quoted ? value.substr(1, value.size() - 2) : value;
}

// The position after a "${NAME}" at `at` and the name in it, or nothing.
std::optional<std::pair<std::size_t, std::string>> reference_at(std::string_view text,
                                                                std::size_t at) {
  if (text.substr(at, 2) != "${") return std::nullopt;
  const auto end = text.find('}', at);
  if (end == std::string_view::npos) return std::nullopt;
  const auto name = text.substr(at + 2, end - at - 2);
  if (!is_name(name)) return std::nullopt;
  return std::pair{end + 1, std::string(name)};
}

bool holds(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words(1);
  for (const char c : line) {
    if (c != ' ' && c != '\t') {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

// What a single word of options can be, where fields are left out; a list of them has a comma.
constexpr std::array<std::string_view, 16> lone_options{
    "bind",          "rbind",   "ro",    "rw",     "private", "rprivate",     "slave",
    "rslave",        "nosuid",  "nodev", "noexec", "nofail",  "x-create=dir", "x-create=file",
    "x-create=auto", "x-detach"};

bool are_options(std::string_view word) {
  return word.find(',') != std::string_view::npos ||
         std::find(lone_options.begin(), lone_options.end(), word) != lone_options.end();
}

// fs_passno, for which a lone fs_freq stands in; only 0 and -1 are mounted when a container starts.
bool is_for_another_time(const std::vector<std::string>& words) {
  constexpr std::size_t frequency = 4;
  constexpr std::size_t pass = 5;
  const auto time = [&](std::size_t field) -> std::uint64_t {
    return words.size() <= field ? 0 : parse_unsigned(words[field]).value_or(0);
  };
  const bool early = words.size() > pass && words[pass] == "-1";
  return time(pass) != 0 || (time(frequency) != 0 && !early);
}

// What `mount -a` mounts no more than we do, and what the kernel has in every container.
bool is_left_out(const fstab_line& line) {
  constexpr std::array<std::string_view, 8> systems{"swap",   "proc",   "sysfs",  "devtmpfs",
                                                    "devpts", "mqueue", "cgroup", "cgroup2"};
  return holds(line.options, "noauto") ||
         std::find(systems.begin(), systems.end(), line.type) != systems.end();
}

// "\040" is a blank, as getmntent(3) has it.
std::string unescaped(std::string_view field) {
  const auto octal = [&](std::size_t at) { return field[at] >= '0' && field[at] <= '7'; };
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '\\' && i + 3 < field.size() && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      text += static_cast<char>((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 +
                                (field[i + 3] - '0'));
      i += 3;
    } else {
      text += field[i];
    }
  }
  return text;
}

// What is left out is guessed as enroot-mount does.
fstab_line complete(const std::vector<std::string>& words, std::size_t number) {
  const auto field = [&](std::size_t index) {
    return index < words.size() ? words[index] : std::string();
  };
  fstab_line line{number, unescaped(field(0)), unescaped(field(1)), field(2), {}};
  auto options = field(3);
  if (line.type.empty() && are_options(line.target)) {
    options = std::exchange(line.target, {});
    line.type = "none";
  } else if (options.empty() && are_options(line.type)) {
    options = std::exchange(line.type, "none");
    if (line.target == "none") line.target.clear();
  }
  const bool untyped = line.type.empty() || line.type == "none";
  if (untyped) line.type = line.source == "tmpfs" ? "tmpfs" : "none";
  if (line.target.empty() && line.source != "tmpfs") line.target = line.source;
  if (line.type == "none" && options.empty()) options = "rbind,x-create=auto";
  for (auto& option : split(options, ',')) {
    if (!option.empty()) line.options.push_back(std::move(option));
  }
  return line;
}

}  // namespace

environment_file parse_environment(std::string_view text) {
  constexpr std::string_view exported = "export ";
  environment_file file;
  std::size_t number = 0;
  for (const auto& raw : split(text, '\n')) {
    ++number;
    auto line = trim(raw);
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with(exported)) line = trim(line.substr(exported.size()));
    const auto equals = line.find('=');
    const auto name = line.substr(0, std::min(equals, line.size()));
    if (equals == std::string_view::npos || !is_name(name) ||
        line.find('\0') != std::string_view::npos) {
      file.problems.push_back(fmt::format("line {} is not NAME=VALUE", number));
      continue;
    }
    std::erase_if(file.entries,
                  [&](std::string_view entry) { return entry.substr(0, entry.find('=')) == name; });
    if (file.entries.size() == most_entries) {
      file.problems.push_back(fmt::format("line {} is variable {}", number, most_entries + 1));
      break;
    }
    file.entries.push_back(fmt::format("{}={}", name, unquoted(line.substr(equals + 1))));
  }
  return file;
}

std::string expand_references(std::string_view text, const value_lookup& value_of) {
  std::string expanded;
  for (std::size_t at = 0; at < text.size() && expanded.size() <= longest_value;) {
    if (const auto reference = reference_at(text, at)) {
      expanded += value_of(reference->second).value_or("");
      at = reference->first;
    } else {
      expanded += text[at++];
    }
  }
  return expanded;
}

std::vector<std::string> expand_references(const std::vector<std::string>& entries,
                                           const value_lookup& value_of) {
  std::vector<std::string> expanded;
  for (const auto& entry : entries) {
    auto text = expand_references(entry, value_of);
    if (text.size() <= longest_value) expanded.push_back(std::move(text));
  }
  return expanded;
}

result<std::vector<fstab_line>> parse_fstab(std::string_view text) {
  std::vector<fstab_line> lines;
  std::size_t number = 0;
  for (const auto& raw : split(text, '\n')) {
    ++number;
    const auto words = words_of(trim(raw));
    if (words.empty() || words.front().starts_with('#') || is_for_another_time(words)) continue;
    auto line = complete(words, number);
    if (is_left_out(line)) continue;
    if (line.target.empty()) return fail(fmt::format("line {} has no mount point", number));
    if (lines.size() == most_entries) {
      return fail(fmt::format("line {} is mount {}", number, most_entries + 1));
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> references_of(const std::vector<fstab_line>& lines) {
  std::vector<std::string> names;
  const auto note = [&](const std::string& name) -> std::optional<std::string> {
    if (!holds(names, name) && names.size() < most_entries) names.push_back(name);
    return std::nullopt;
  };
  for (const auto& line : lines) {
    for (const auto& field : {line.source, line.target}) expand_references(field, note);
    expand_references(line.options, note);
  }
  return names;
}

}  // namespace berth::image
