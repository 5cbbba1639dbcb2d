#include "cli/output_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/text.hpp"

namespace berth::cli {
namespace {

// The words of `keys` at the beginning of a line of one job. Names of files are on lines of their
// own and may hold blanks; of the other lines the first words are wanted.
std::map<std::string, std::string> values_of(std::string_view text) {
  std::map<std::string, std::string> values;
  for (const auto& line : split(text, '\n')) {
    const auto plain = trim(line);
    const auto equals = plain.find('=');
    if (equals == std::string_view::npos) continue;
    values.emplace(plain.substr(0, equals), plain.substr(equals + 1));
  }
  return values;
}

std::string first_word(const std::string& text) {
  return text.substr(0, text.find(' '));
}

// What scontrol leaves to the node, of a batch script: it is task 0 on node 0.
std::string expanded(std::string_view pattern, const std::string& host) {
  std::string path;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%' || i + 1 == pattern.size()) {
      path.push_back(pattern[i]);
      continue;
    }
    const char key = pattern[++i];
    if (key == 'N') {
      path += host.substr(0, host.find('.'));
    } else if (key == 'n' || key == 't') {
      path.push_back('0');
    } else if (key == 's') {
      path += "batch";
    } else {
      path.push_back('%');
      if (key != '%') path.push_back(key);
    }
  }
  return path;
}

// A word of the first line, before the job's name, which may hold anything: "ArrayTaskId=".
std::string word_of(std::string_view record, std::string_view key) {
  const auto head = record.substr(0, std::min(record.find(" JobName="), record.find('\n')));
  for (const auto& word : split(head, ' ')) {
    if (word.starts_with(key)) return word.substr(key.size());
  }
  return {};
}

// "alice(20001) GroupId=..."
std::optional<std::uint32_t> uid_in(const std::string& text) {
  const auto open = text.find('(');
  const auto close = text.find(')', open);
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  const auto uid = parse_unsigned(std::string_view(text).substr(open + 1, close - open - 1));
  return uid && *uid < UINT32_MAX ? std::optional(static_cast<std::uint32_t>(*uid)) : std::nullopt;
}

}  // namespace

result<output_files> parse_output_files(std::string_view scontrol, const std::string& name) {
  constexpr std::string_view begin = "JobId=";
  const auto second = scontrol.find("\nJobId=");
  const auto array_task = word_of(scontrol, "ArrayTaskId=");
  const bool array = !array_task.empty() && !parse_unsigned(array_task);
  const bool parts = word_of(scontrol, "HetJobOffset=") == "0";
  if (!scontrol.starts_with(begin)) return fail(fmt::format("Slurm does not know job {}", name));
  if (array || (second != std::string_view::npos && !parts)) {
    return fail(fmt::format("job {} is an array; name one of it, like {}_1", name, name));
  }
  const auto values = values_of(scontrol.substr(0, second));
  const auto value = [&](const char* key) {
    const auto found = values.find(key);
    return found == values.end() ? std::string() : found->second;
  };
  const auto uid = uid_in(value("UserId"));
  if (!uid) return fail(fmt::format("Slurm does not tell whose job {} is", name));
  const auto out = value("StdOut");
  if (out.empty()) {
    return fail(
        fmt::format("job {} is no batch job: its output went to the terminal of its srun or "
                    "salloc",
                    name));
  }
  const auto host = first_word(value("BatchHost"));
  const auto err = value("StdErr");
  return output_files{*uid, expanded(out, host), expanded(err.empty() ? out : err, host)};
}

std::optional<std::string> other_leader(std::string_view scontrol) {
  const auto part = word_of(scontrol, "HetJobOffset=");
  auto leader = word_of(scontrol, "HetJobId=");
  if (part.empty() || part == "0" || leader.empty()) return std::nullopt;
  return leader;
}

}  // namespace berth::cli
