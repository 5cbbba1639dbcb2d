#pragma once
// What a user said to srun in Slurm's own options, which SPANK does not tell.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace berth::plugin {

/// The words of this process between its name and the command that it will run. To be asked after
/// Slurm has parsed its options; empty when they cannot be read.
std::vector<std::string> option_words_of_srun();

/// The value of an option in either of its forms, "--name=value" and "--name value".
std::optional<std::string> option_value(const std::vector<std::string>& options,
                                        const std::string& name);

using variables = std::function<std::optional<std::string>(const std::string& name)>;

/// Whether the step has more than one task, by -n, -N, --ntasks, --nodes, --ntasks-per-node and the
/// variables that stand for them. "2-4" and what is no number count as more than one.
bool starts_several_tasks(const std::vector<std::string>& options, const variables& environment);

/// How many tasks the fullest node gets, as far as the same options tell; 1 to 4,096.
std::uint64_t tasks_on_node(const std::vector<std::string>& options, const variables& environment);

}  // namespace berth::plugin
