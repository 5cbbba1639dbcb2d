#include "plugin/local.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/file.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "container/container_options.hpp"
#include "image/kind.hpp"
#include "pinning/request.hpp"
#include "plugin/argv_guard.hpp"
#include "plugin/mpi_check.hpp"
#include "plugin/options.hpp"
#include "plugin/slurm_config.hpp"
#include "plugin/srun_words.hpp"

extern "C" {
extern char* slurm_xstrdup(const char* text) __attribute__((weak));
}

namespace berth::plugin {
namespace {

namespace fs = std::filesystem;

constexpr const char* name_variable = "SLURM_BERTH_CONTAINER_NAME";
constexpr std::size_t command_line_limit = std::size_t{16} << 20;

std::optional<std::string>& inherited_image() {
  static std::optional<std::string> image;
  return image;
}

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

// A variable of ours, or pyxis' own one.
std::optional<std::string> image_of_environment() {
  const auto own = variable("BERTH_CONTAINER_IMAGE");
  return own ? own : variable("PYXIS_CONTAINER_IMAGE");
}

// The command line wins over the user's variables, and those over what an enclosing job chose. The
// own option is the same as Slurm's.
result<std::optional<std::string>> chosen_image() {
  const auto slurm = variable(image_variable);
  const auto& own = given().image;
  if (own && slurm && *own != *slurm) {
    return fail(
        fmt::format("--container={} and --container-image={} name different images", *slurm, *own));
  }
  if (own) return own;
  if (slurm) return slurm;
  const auto named = image_of_environment();
  return named ? named : inherited_image();
}

// A source that only the nodes see is not an error here.
result<void> check_sources(const std::vector<container::mount_request>& mounts) {
  for (const auto& mount : mounts) {
    if (mount.kind != container::mount_kind::bind) continue;
    const unique_fd fd(::open(mount.source.c_str(), O_PATH | O_CLOEXEC));
    if (!fd && errno != ENOENT) {
      return fail_errno(fmt::format("--container-mounts: source \"{}\"", mount.source));
    }
  }
  return {};
}

std::optional<std::string> named_variable(const std::string& name) {
  return variable(name.c_str());
}

result<container::choices> chosen_options() {
  auto chosen = given().container;
  auto named = container::choices_of(named_variable);
  if (!named) return named;
  auto inherited = container::choices_on_the_way(named_variable);
  if (!inherited) return inherited;
  chosen.merge(*named);
  chosen.merge(*inherited);
  std::error_code code;
  const auto here = fs::current_path(code).string();
  const auto parsed = container::parse_options(chosen, here);
  if (!parsed) return failure(parsed.error());
  if (auto usable = check_sources(parsed->mounts); !usable) return pass(std::move(usable));
  return container::made_absolute(std::move(chosen), here);
}

// From here on they are what was chosen, for this command and for all inside: a variable of the
// user's that is left would beat an option of sbatch.
result<void> settle_options() {
  const auto chosen = chosen_options();
  if (!chosen) return failure(chosen.error());
  for (const auto& [key, value] : *chosen) {
    ::setenv(container::travelling_name(key).c_str(), value.c_str(), 1);
  }
  for (const auto& word : container::option_words()) {
    for (const auto& name : container::variables_of(word)) ::unsetenv(name.c_str());
  }
  for (const auto* name : {"BERTH_CONTAINER_IMAGE", "PYXIS_CONTAINER_IMAGE"}) ::unsetenv(name);
  return {};
}

// The name of an option of containers on this command line; empty without any.
std::string option_given() {
  if (given().image) return "--container-image";
  if (!given().explain.empty() && has_oci_conf()) return "--container-explain";
  for (const auto& word : container::option_words()) {
    const auto found = given().container.find(word.key);
    const bool meant =
        found != given().container.end() && (word.means == nullptr || found->second == word.means);
    if (meant) return fmt::format("--{}", word.name);
  }
  return {};
}

// Steps start in folders of their own: what is relative here must not be searched there.
std::string resolve(const std::string& image) {
  std::error_code code;
  const auto here = fs::absolute(image, code).lexically_normal();
  if (code || image == no_image || image == container::existing_image) return image;
  return image.find('/') != std::string::npos || fs::exists(here, code) ? here.string() : image;
}

// A file that only the nodes see is not an error here.
result<void> check_image(const std::string& image) {
  const unique_fd fd(::open(image.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd && errno == ENOENT) return {};
  if (!fd) return fail_errno(fmt::format("image \"{}\": cannot open", image));
  const auto content = image::recognise(fd.get());
  if (content && image::kind_of(*content) == image::kind::folder) {
    return fail(fmt::format("image \"{}\" {}", image, image::folder_refusal));
  }
  if (content) return {};
  return fail(fmt::format("image \"{}\" {}", image, content.error().text()));
}

// This process becomes `berth run --container-explain`, with what was settled as its variables: one
// program explains containers of all kinds.
result<void> explain(const std::string& image) {
  for (const auto& word : container::option_words()) {
    const auto settled = named_variable(container::travelling_name(word.key));
    if (settled) ::setenv(fmt::format("BERTH_{}", word.key).c_str(), settled->c_str(), 1);
  }
  const auto form = fmt::format("--container-explain={}", given().explain);
  const auto pin = fmt::format("--pin={}", variable(pin_variable).value_or(""));
  const auto mpi = fmt::format("--explain-mpi={}", slurm_mpi());
  const auto tasks =
      fmt::format("--explain-tasks={}", tasks_on_node(option_words_of_srun(), named_variable));
  std::vector<const char*> argv{"berth",     "run",         "--explain-step",
                                mpi.c_str(), tasks.c_str(), form.c_str()};
  if (variable(pin_variable)) argv.push_back(pin.c_str());
  for (const auto* word : {"--", image.c_str()}) argv.push_back(word);
  argv.push_back(nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvp(argv[0], const_cast<char* const*>(argv.data()));
  auto missing = fail_errno("--container-explain: cannot run \"berth\"");
  return failure(std::move(missing.value()).with_hint("add its folder to PATH"));
}

// The command's options as getopt_long reads them: "--multi" is "--multi-prog". The shortest words
// that mean these two and nothing else of srun.
struct long_option {
  std::string_view name;
  std::size_t shortest;
};
constexpr long_option multi_prog{"--multi-prog", 4};
constexpr long_option cpu_bind{"--cpu-bind", 7};

// This command's own options: everything before the `argc` words of the user's command.
std::vector<std::string> own_options(std::size_t argc) {
  const auto bytes = read_file("/proc/self/cmdline", command_line_limit);
  if (!bytes) return {};
  auto words = split(*bytes, '\0');
  words.resize(words.size() > argc ? words.size() - argc - 1 : 0);
  return words;
}

bool has_option(const std::vector<std::string>& options, const long_option& wanted) {
  return std::any_of(options.begin(), options.end(), [&](std::string_view word) {
    const auto name = word.substr(0, word.find('='));
    return name.size() >= wanted.shortest && wanted.name.starts_with(name);
  });
}

// Without the plugin on the node, the command would run where or when its user does not want it.
bool must_not_run_without_berth() {
  if (variable(attach_variable)) return true;
  const auto pin = variable(pin_variable);
  const auto asked = pinning::parse_request(pin.value_or("none"));
  if (asked && asked->dry_run) return true;
  const auto image = has_oci_conf() ? std::nullopt : variable(image_variable);
  return image && *image != no_image;
}

}  // namespace

void set_inherited_choice_aside() {
  // Slurm repeats the options of an enclosing sbatch to each srun, as if they were its own.
  for (const auto& option : option_names()) {
    ::unsetenv(fmt::format("SLURM_SPANK__SLURM_SPANK_OPTION_berth_{}", option).c_str());
  }
  ::unsetenv(staged_variable);
  if (has_oci_conf()) return;
  inherited_image() = variable(image_variable);
  ::unsetenv(image_variable);
}

result<void> settle_choice() {
  const auto own_option = option_given();
  if (has_oci_conf() && !own_option.empty()) {
    return fail(
        fmt::format("{}: this cluster has an oci.conf, so Slurm itself starts containers; "
                    "use --container",
                    own_option));
  }
  if (has_oci_conf()) {
    // What follows --container is for Slurm's runtime: a bundle, not an image of ours.
    if (given().pin) ::setenv(pin_variable, given().pin->c_str(), 1);
    return {};
  }
  const auto image = chosen_image();
  if (!image) return failure(image.error());
  if (auto settled = settle_options(); !settled) return settled;
  if (!*image && variable(name_variable)) {
    // The step may find the container that an earlier one has left.
    ::setenv(image_variable, container::existing_image, 1);
  } else if (spank_context() == S_CTX_LOCAL && !given().container.empty() &&
             image->value_or(no_image) == no_image) {
    return fail(
        fmt::format("{} is given without an image; add --container-image=IMAGE", own_option));
  }
  if (*image) {
    const auto path = resolve(**image);
    if (path.starts_with('/')) {
      if (auto usable = check_image(path); !usable) return usable;
    }
    ::setenv(image_variable, path.c_str(), 1);
  }
  if (given().pin) ::setenv(pin_variable, given().pin->c_str(), 1);
  const auto settled = variable(image_variable);
  if (given().explain.empty()) {
    const bool step = spank_context() == S_CTX_LOCAL && !variable(attach_variable);
    if (step && settled && settled->starts_with('/')) check_mpi(*settled);
    return {};
  }
  if (settled && *settled != no_image && *settled != container::existing_image) {
    return explain(*settled);
  }
  return fail("--container-explain: there is no image to explain; add --container-image=IMAGE");
}

void guard_command(spank_t sp) {
  char** argv = nullptr;
  int argc = 0;
  if (spank_get_item(sp, S_JOB_ARGV, &argc, &argv) != ESPANK_SUCCESS || argc < 1) return;
  const auto options = own_options(static_cast<std::size_t>(argc));
  if (has_option(options, cpu_bind) || variable("SLURM_CPU_BIND")) {
    ::setenv(cpu_bind_variable, "1", 1);
  }
  const auto exported = option_value(options, "--export");
  if (const auto list = exported ? exported : variable("SLURM_EXPORT_ENV")) {
    ::setenv(export_variable, list->c_str(), 1);
  }
  // With --multi-prog the first word is a file that srun has read already.
  if (has_option(options, multi_prog) || !must_not_run_without_berth()) return;
  if (slurm_xstrdup != nullptr) argv[0] = slurm_xstrdup(guard_word(argv[0]).c_str());
}

}  // namespace berth::plugin
