#include "plugin/local.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/file.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "image/kind.hpp"
#include "pinning/request.hpp"
#include "plugin/argv_guard.hpp"
#include "plugin/options.hpp"
#include "plugin/slurm_config.hpp"

extern "C" {
extern char* slurm_xstrdup(const char* text) __attribute__((weak));
}

namespace berth::plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t command_line_limit = std::size_t{16} << 20;

std::optional<std::string>& inherited_image() {
  static std::optional<std::string> image;
  return image;
}

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

// The command line wins over the environment, the own option is the same as Slurm's.
result<std::optional<std::string>> chosen_image() {
  const auto slurm = variable(image_variable);
  const auto& own = given().image;
  if (own && slurm && *own != *slurm) {
    return fail(
        fmt::format("--container={} and --container-image={} name different images", *slurm, *own));
  }
  if (own) return own;
  return slurm ? slurm : inherited_image();
}

// Steps start in folders of their own: what is relative here must not be searched there.
std::string resolve(const std::string& image) {
  std::error_code code;
  const auto here = fs::absolute(image, code).lexically_normal();
  if (code || image == no_image) return image;
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

// The value of an option in either of its forms, "--name=value" and "--name value".
std::optional<std::string> option_value(const std::vector<std::string>& options,
                                        const std::string& name) {
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options[i].starts_with(name + '=')) return options[i].substr(name.size() + 1);
    if (options[i] == name && i + 1 < options.size()) return options[i + 1];
  }
  return std::nullopt;
}

bool has_option(const std::vector<std::string>& options, const long_option& wanted) {
  return std::any_of(options.begin(), options.end(), [&](std::string_view word) {
    const auto name = word.substr(0, word.find('='));
    return name.size() >= wanted.shortest && wanted.name.starts_with(name);
  });
}

// Without the plugin on the node, the command would run where or when its user does not want it.
bool must_not_run_without_berth() {
  const auto pin = variable(pin_variable);
  const auto asked = pinning::parse_request(pin.value_or("none"));
  if (asked && asked->dry_run) return true;
  const auto image = has_oci_conf() ? std::nullopt : variable(image_variable);
  return image && *image != no_image;
}

}  // namespace

void set_inherited_choice_aside() {
  // Slurm repeats the options of an enclosing sbatch to each srun, as if they were its own.
  for (const auto* option : {"container_image", "pin"}) {
    ::unsetenv(fmt::format("SLURM_SPANK__SLURM_SPANK_OPTION_berth_{}", option).c_str());
  }
  if (has_oci_conf()) return;
  inherited_image() = variable(image_variable);
  ::unsetenv(image_variable);
}

result<void> settle_choice() {
  if (has_oci_conf() && given().image) {
    return fail(
        "--container-image: this cluster has an oci.conf, so Slurm itself starts containers; "
        "use --container");
  }
  const auto image = chosen_image();
  if (!image) return failure(image.error());
  if (*image) {
    const auto path = resolve(**image);
    if (path.starts_with('/')) {
      if (auto usable = check_image(path); !usable) return usable;
    }
    ::setenv(image_variable, path.c_str(), 1);
  }
  if (given().pin) ::setenv(pin_variable, given().pin->c_str(), 1);
  return {};
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
