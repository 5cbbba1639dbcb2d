#include "image/enroot_files.hpp"

#include <fmt/format.h>

#include <algorithm>

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

std::vector<std::string> expand_references(
    const std::vector<std::string>& entries,
    const std::function<std::optional<std::string>(const std::string&)>& value_of) {
  std::vector<std::string> expanded;
  for (const auto& entry : entries) {
    std::string text;
    for (std::size_t at = 0; at < entry.size() && text.size() <= longest_value;) {
      if (const auto reference = reference_at(entry, at)) {
        text += value_of(reference->second).value_or("");
        at = reference->first;
      } else {
        text += entry[at++];
      }
    }
    if (text.size() <= longest_value) expanded.push_back(std::move(text));
  }
  return expanded;
}

std::vector<std::string> describe_fstab(std::string_view text) {
  std::vector<std::string> sentences;
  std::size_t number = 0;
  for (const auto& line : split(text, '\n')) {
    ++number;
    const auto words = words_of(trim(line));
    if (words.empty() || words.front().starts_with('#')) continue;
    if (words.size() < 2) {
      sentences.push_back(fmt::format("line {} has no mount point", number));
    } else if (sentences.size() < most_entries) {
      sentences.push_back(fmt::format(
          "line {0} asks for \"{1}\" on \"{2}\", which is not mounted; where you want it, "
          "add --container-mounts={1}:{2}",
          number, words[0], words[1]));
    }
  }
  return sentences;
}

}  // namespace berth::image
