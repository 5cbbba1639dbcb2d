#include "plugin/srun_words.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/file.hpp"
#include "base/text.hpp"

namespace berth::plugin {
namespace {

constexpr std::size_t command_line_limit = std::size_t{16} << 20;
constexpr std::uint64_t most_tasks = 4096;  // of which a plan is shown

// "-n4" and "-n 4".
std::optional<std::string> short_value(const std::vector<std::string>& options,
                                       const std::string& name) {
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options[i] == name && i + 1 < options.size()) return options[i + 1];
    if (options[i].starts_with(name) && options[i].size() > name.size()) {
      return options[i].substr(name.size());
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> option_words_of_srun() {
  const auto bytes = read_file("/proc/self/cmdline", command_line_limit);
  if (!bytes) return {};
  auto words = split(*bytes, '\0');
  // getopt's own index: Slurm has stopped there.
  const auto end = std::min(words.size(), static_cast<std::size_t>(std::max(1, ::optind)));
  words.resize(end);
  words.erase(words.begin());
  return words;
}

std::optional<std::string> option_value(const std::vector<std::string>& options,
                                        const std::string& name) {
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options[i].starts_with(name + '=')) return options[i].substr(name.size() + 1);
    if (options[i] == name && i + 1 < options.size()) return options[i + 1];
  }
  return std::nullopt;
}

namespace {

// The option in its long and its short form, or else the variable that stands for it.
std::optional<std::string> said(const std::vector<std::string>& options, const char* longer,
                                const char* shorter, const variables& environment,
                                const char* name) {
  if (const auto value = option_value(options, longer)) return value;
  if (const auto value = short_value(options, shorter)) return value;
  return environment(name);
}

std::uint64_t number_in(const std::optional<std::string>& text) {
  return text ? parse_unsigned(text->substr(0, text->find('-'))).value_or(0) : 0;
}

}  // namespace

bool starts_several_tasks(const std::vector<std::string>& options, const variables& environment) {
  const auto several = [](const std::optional<std::string>& value) {
    return value && *value != "1";
  };
  return several(said(options, "--ntasks", "-n", environment, "SLURM_NTASKS")) ||
         several(said(options, "--nodes", "-N", environment, "SLURM_NNODES")) ||
         several(option_value(options, "--ntasks-per-node"));
}

std::uint64_t tasks_on_node(const std::vector<std::string>& options, const variables& environment) {
  const auto each = number_in(option_value(options, "--ntasks-per-node"));
  if (each > 0) return std::min(each, most_tasks);
  const auto tasks = number_in(said(options, "--ntasks", "-n", environment, "SLURM_NTASKS"));
  const auto nodes = std::max<std::uint64_t>(
      1, number_in(said(options, "--nodes", "-N", environment, "SLURM_NNODES")));
  return std::clamp<std::uint64_t>((tasks + nodes - 1) / nodes, 1, most_tasks);
}

}  // namespace berth::plugin
