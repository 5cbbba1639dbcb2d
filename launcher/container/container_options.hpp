#pragma once
// What a user may say about a container: one list of options for srun, sbatch, salloc and
// `berth run`, in the words of pyxis where those exist, and what they mean.

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "container/mount_request.hpp"

namespace berth::container {

struct option_word {
  const char* name;      ///< "container-mounts", after two dashes
  const char* argument;  ///< what the help calls its value; nullptr: a switch without one
  const char* key;       ///< "CONTAINER_MOUNTS": what it decides, the name of its choice
  const char* means;     ///< of a switch: the value it stands for
  bool adds;             ///< a list: given again, it adds
  const char* usage;
};

/// All options but the image's, in the order of the help.
std::span<const option_word> option_words();

/// What was chosen, by key: {"CONTAINER_MOUNTS", "/data:/data"}. Texts of users.
using choices = std::map<std::string, std::string, std::less<>>;

/// Adds one option as it was given on a command line. Errors: an empty or overlong value (64 KiB);
/// the same option twice with different values; both of a pair of opposites.
result<void> choose(choices& into, const option_word& option, std::string_view value);

/// Looks up an environment variable; nothing when it is not set.
using lookup = std::function<std::optional<std::string>(const std::string& name)>;

/// What the environment chooses: for each option BERTH_ and its name in capitals
/// (BERTH_CONTAINER_MOUNTS), or PYXIS_ where that is not set. A switch has a yes or no as value.
/// Errors: as choose, naming the variable.
result<choices> choices_of(const lookup& environment);

/// The two variables of an option, the first one winning; empty for those with "no-", which have
/// none.
std::vector<std::string> variables_of(const option_word& option);

/// How Slurm hands a choice from the submitting machine to the nodes, and a batch job's to its
/// steps: names with SLURM_ pass every --export. "CONTAINER_MOUNTS" -> "SLURM_BERTH_CONTAINER_..."
std::string travelling_name(std::string_view key);
/// What came along that way. Error: overlong.
result<choices> choices_on_the_way(const lookup& environment);

/// Which way to a root file system; "any": the site's and the image's trust decide.
enum class backend_choice { any, kernel, fuse, unpack };

/// Stands for an image where --container-name names a container that is there already.
inline constexpr const char* existing_image = ":";

/// Whether a named container has to be there already, or must not be; "any": it is made where it is
/// missing.
enum class name_use { any, create, existing };

struct container_name {
  std::string text;  ///< empty: none
  name_use use = name_use::any;
};

/// Whether each node gets a copy of the image; "any": the site's number of nodes decides.
enum class stage_choice { any, always, never };

/// Choices, understood.
struct container_options {
  std::vector<mount_request> mounts;
  std::string workdir;                   ///< absolute, in the container; empty: the site's rule
  std::vector<std::string> environment;  ///< names whose values are the node's, not the image's
  bool mount_home = true;
  bool writable = true;
  backend_choice backend = backend_choice::any;
  bool timing = false;      ///< tell how long the start took
  std::string save{};       ///< absolute path of the image to write at the end; empty: none
  container_name name{};    ///< of the container; without one it ends with the step
  bool remap_root = false;  ///< the user is root in a user namespace
  bool entrypoint = false;  ///< the image's entrypoint before each task's command
  stage_choice stage = stage_choice::any;
  std::optional<bool> slurm;  ///< the node's Slurm commands; nothing: the site's rule
};

/// Error: names the option and what is wrong with it. `folder`: where relative paths start.
/// Every process that is handed choices calls this again.
result<container_options> parse_options(const choices& given, const std::string& folder);

/// Whether a container can have this name.
result<void> check_name(std::string_view name);

/// The same choices with absolute paths, so that they mean the same in every folder.
/// @pre parse_options(given, folder) succeeds
choices made_absolute(choices given, const std::string& folder);

}  // namespace berth::container
