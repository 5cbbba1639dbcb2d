#pragma once
// The options that berth adds to srun, sbatch and salloc, and the words in plugstack.conf.

#include <optional>
#include <string>
#include <vector>

#include "plugin/slurm.hpp"

#include "base/error.hpp"
#include "container/container_options.hpp"

namespace berth::plugin {

/// Words after the plugin's path in plugstack.conf: "helper=/PATH
/// site=/etc/berth/site.lua".
struct settings {
  std::string helper = BERTH_DEFAULT_HELPER;  ///< berth-node, run as root on the node
  std::string site_file;                      ///< empty: the program's default
  unsigned timeout_seconds = 60;              ///< how long the node helper may take
};
result<settings> parse_settings(int count, char** words);

/// What the user said on the command line; filled while Slurm parses its options.
struct command_line {
  std::optional<std::string> image;  ///< --container-image
  std::optional<std::string> pin;    ///< --pin
  std::string explain;               ///< --container-explain: "text" or "json"; empty without it
  container::choices container;      ///< all others that begin with --container
};
command_line& given();

/// The names of all options, as Slurm's environment has them: "container_image".
std::vector<std::string> option_names();

/// Adds the options to the command that is running. The node side accepts and ignores them: what
/// counts travels in the environment, where sbatch's choice reaches the sruns of the script.
result<void> register_options(spank_t sp);

/// Environment variables in which the choices travel from srun to the node. SLURM_CONTAINER is
/// Slurm's own name for the image; names with SLURM_ pass every --export.
inline constexpr const char* image_variable = "SLURM_CONTAINER";
inline constexpr const char* pin_variable = "SLURM_BERTH_PIN";
inline constexpr const char* cpu_bind_variable = "SLURM_BERTH_CPU_BIND";
inline constexpr const char* export_variable = "SLURM_BERTH_EXPORT";
/// From berth exec: the step whose container this step's task joins (see attach.hpp).
inline constexpr const char* attach_variable = "SLURM_BERTH_ATTACH";

/// From srun: the copy of the image that the job's nodes have (container/staged.hpp).
inline constexpr const char* staged_variable = "SLURM_BERTH_STAGED";

/// All of these but the image, and those of the container's options: not for the tasks.
std::vector<std::string> own_variables();
/// Without the container's options: for tasks that can start steps themselves.
std::vector<std::string> own_variables_of_srun();

/// The image name that asks for no container.
inline constexpr const char* no_image = "none";

}  // namespace berth::plugin
