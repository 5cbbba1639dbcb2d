#pragma once
// The environment of a task in the container: a pure function of the four voices that have a say.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "site/config.hpp"

namespace berth::container {

struct environment_edit {
  std::string name;
  std::optional<std::string> value;  ///< nothing: the name is removed
  std::string origin;                ///< "image", "site" or "default"

  friend bool operator==(const environment_edit&, const environment_edit&) = default;
};

/// The names a user passed by name with --export, from Slurm's record of it (SLURM_EXPORT_ENV):
/// "ALL,A=1,B" -> {"A", "B"}.
std::vector<std::string> exported_names(std::string_view slurm_export_env);

/// What to change in a task's environment.
///  * A variable of the image wins over one inherited from the node (its PATH means the image's
///    folders), but not over one that the user passed by name nor over one of Open MPI (OMPI_*).
///    HOME, USER, LOGNAME, SHELL and those of Slurm and PMIx (SLURM*, PMI*) it cannot set at all.
///  * LD_PRELOAD and LD_LIBRARY_PATH name libraries of the node: they stay outside, unless the user
///    passed them by name.
///  * A variable of the site is set unless the user or the image has it; unset names go for good.
/// `exported`: what was passed by name, with --export, --container-env or by a TaskProlog.
std::vector<environment_edit> plan_environment(const std::vector<std::string>& task,
                                               const std::vector<std::string>& image,
                                               const site::environment_rules& site,
                                               const std::vector<std::string>& exported);

/// All that an image sets: its metadata's variables, and where those have no such name the ones of
/// its /etc/environment, whose "${NAME}" stand for the task's values.
std::vector<std::string> image_variables(std::vector<std::string> metadata,
                                         const std::vector<std::string>& templates,
                                         const std::vector<std::string>& task);

/// The value of `name` in a list of "NAME=value", or nothing.
std::optional<std::string> find_variable(const std::vector<std::string>& environment,
                                         std::string_view name);

}  // namespace berth::container
