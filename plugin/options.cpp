#include "plugin/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.hpp"
#include "pinning/request.hpp"

namespace berth::plugin {
namespace {

int take(std::optional<std::string>& into, const char* name, const char* value) noexcept {
  if (value == nullptr || *value == '\0') {
    slurm_error("berth: --%s needs a value", name);
    return -1;
  }
  if (into && *into != value) {
    slurm_error("berth: --%s is given twice, as \"%s\" and \"%s\"", name, into->c_str(), value);
    return -1;
  }
  into = value;
  return 0;
}

int on_image(int, const char* value, int remote) noexcept {
  return remote != 0 ? 0 : take(given().image, "container-image", value);
}

int on_pin(int, const char* value, int remote) noexcept {
  if (remote != 0) return 0;
  if (const auto asked = pinning::parse_request(value == nullptr ? "" : value); !asked) {
    slurm_error("berth: --pin: %s", asked.error().text().c_str());
    return -1;
  }
  return take(given().pin, "pin", value);
}

int on_explain(int, const char* value, int remote) noexcept {
  if (remote != 0) return 0;
  given().explain = value == nullptr || *value == '\0' ? "text" : value;
  if (given().explain == "text" || given().explain == "json") return 0;
  slurm_error("berth: --container-explain is text or json, not \"%s\"", value);
  return -1;
}

struct option_text {
  const char* name;
  const char* argument;
  const char* usage;
  spank_opt_cb_f callback;
  int has_argument = 1;  ///< 2: perhaps
};

constexpr std::array options{
    option_text{"container-image", "IMAGE",
                "run the tasks in this squashfs image (same as --container); \"none\" runs them on "
                "the node itself",
                on_image},
    option_text{
        "pin", "POLICY[,WORD...]",
        "place the tasks on the cores: auto, core, l3, numa, package, spread, compact, "
        "device, map:LIST, mask:LIST or none; words: smt, mem=WHERE, verbose, dry-run, check",
        on_pin},
    option_text{"container-explain", "text|json",
                "run nothing; tell what the container would be made of, and who said so",
                on_explain, 2},
};

// One for all words of container_options.hpp; `which` is the place in the list.
int on_container(int which, const char* value, int remote) noexcept {
  if (remote != 0) return 0;
  const auto& option = container::option_words()[static_cast<std::size_t>(which)];
  const auto chosen = container::choose(given().container, option, value == nullptr ? "" : value);
  if (chosen) return 0;
  slurm_error("berth: %s", chosen.error().text().c_str());
  return -1;
}

result<void> register_option(spank_t sp, const char* name, const char* argument, const char* usage,
                             int has_argument, int value, spank_opt_cb_f callback) {
  spank_option option{const_cast<char*>(name),
                      const_cast<char*>(argument),
                      const_cast<char*>(usage),
                      has_argument,
                      value,
                      callback};
  const auto code = spank_option_register(sp, &option);
  if (code == ESPANK_SUCCESS) return {};
  return fail(fmt::format("cannot register --{}: {}", name, spank_strerror(code)));
}

}  // namespace

command_line& given() {
  static command_line line;
  return line;
}

result<void> register_options(spank_t sp) {
  for (const auto& [name, argument, usage, callback, has_argument] : options) {
    auto done = register_option(sp, name, argument, usage, has_argument, 0, callback);
    if (!done) return done;
  }
  int which = 0;
  for (const auto& word : container::option_words()) {
    auto done = register_option(sp, word.name, word.argument, word.usage,
                                word.argument == nullptr ? 0 : 1, which++, on_container);
    if (!done) return done;
  }
  return {};
}

std::vector<std::string> option_names() {
  std::vector<std::string> names;
  for (const auto& entry : options) names.emplace_back(entry.name);
  for (const auto& word : container::option_words()) names.emplace_back(word.name);
  for (auto& name : names) std::replace(name.begin(), name.end(), '-', '_');
  return names;
}

std::vector<std::string> own_variables_of_srun() {
  return {pin_variable, cpu_bind_variable, export_variable, staged_variable};
}

std::vector<std::string> own_variables() {
  auto names = own_variables_of_srun();
  for (const auto& word : container::option_words()) {
    names.push_back(container::travelling_name(word.key));
  }
  return names;
}

result<settings> parse_settings(int count, char** words) {
  settings parsed;
  for (int i = 0; i < count; ++i) {
    const std::string_view word = words[i];
    const auto equals = word.find('=');
    const auto key = word.substr(0, equals);
    const auto value = equals == std::string_view::npos ? "" : word.substr(equals + 1);
    const auto number = parse_unsigned(value);
    if (key == "helper" && value.starts_with('/')) {
      parsed.helper = value;
    } else if (key == "site" && value.starts_with('/')) {
      parsed.site_file = value;
    } else if (key == "timeout" && number && *number >= 1 && *number <= 3600) {
      parsed.timeout_seconds = static_cast<unsigned>(*number);
    } else {
      return fail(
          fmt::format("plugstack.conf: \"{}\" is none of helper=/PATH, site=/PATH, "
                      "timeout=SECONDS (1 to 3600)",
                      word));
    }
  }
  return parsed;
}

}  // namespace berth::plugin
