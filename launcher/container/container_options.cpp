#include "container/container_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "base/text.hpp"

namespace berth::container {
namespace {

constexpr std::size_t longest_value = 65536;
constexpr std::size_t longest_path = 4095;
constexpr std::size_t longest_name = 255;

constexpr const char* mounts_key = "CONTAINER_MOUNTS";
constexpr const char* workdir_key = "CONTAINER_WORKDIR";
constexpr const char* home_key = "CONTAINER_MOUNT_HOME";
constexpr const char* env_key = "CONTAINER_ENV";
constexpr const char* writable_key = "CONTAINER_WRITABLE";
constexpr const char* backend_key = "CONTAINER_BACKEND";
constexpr const char* stage_key = "CONTAINER_STAGE";
constexpr const char* slurm_key = "CONTAINER_SLURM";
constexpr const char* timing_key = "CONTAINER_TIMING";
constexpr const char* name_key = "CONTAINER_NAME";
constexpr const char* save_key = "CONTAINER_SAVE";
constexpr const char* remap_key = "CONTAINER_REMAP_ROOT";
constexpr const char* entrypoint_key = "CONTAINER_ENTRYPOINT";
constexpr const char* yes = "1";
constexpr const char* no = "0";

constexpr std::array words{
    option_word{"container-mounts", "SRC:DST[:FLAGS][,...]", mounts_key, nullptr, true,
                "show files and folders of the node in the container; flags, joined by \"+\": ro, "
                "rw, rbind, bind, private, x-create; tmpfs:DST is an empty folder in memory"},
    option_word{"container-workdir", "PATH", workdir_key, nullptr, false,
                "start in this folder of the container"},
    option_word{"container-mount-home", nullptr, home_key, yes, false,
                "show the home folder in the container (the default)"},
    option_word{"no-container-mount-home", nullptr, home_key, no, false,
                "do not show the home folder in the container"},
    option_word{"container-name", "NAME[:FLAG]", name_key, nullptr, false,
                "keep the container's root, with all that is written to it, for later steps of the "
                "job (berth run: for later calls) that give the same name; they need no image; "
                "flags: auto (the default), "
                "create (it must be new), exec (it must be there), no_exec (as auto)"},
    option_word{"container-save", "PATH", save_key, nullptr, false,
                "write the container's root to an image when the step's tasks have ended, on its "
                "first node: EROFS if PATH ends with .erofs, else squashfs"},
    option_word{"container-env", "NAME[,...]", env_key, nullptr, true,
                "keep the values that these variables have outside, also where the image has its "
                "own"},
    option_word{"container-writable", nullptr, writable_key, yes, false,
                "let the tasks write to the container's root, in memory (the default)"},
    option_word{"container-readonly", nullptr, writable_key, no, false,
                "make the container's root read-only"},
    option_word{"container-remap-root", nullptr, remap_key, yes, false,
                "be root in the container, as in one's own system; outside nothing changes"},
    option_word{"no-container-remap-root", nullptr, remap_key, no, false,
                "keep the user's own number in the container (the default)"},
    option_word{"container-entrypoint", nullptr, entrypoint_key, yes, false,
                "run each task's command through the image's entrypoint"},
    option_word{"no-container-entrypoint", nullptr, entrypoint_key, no, false,
                "do not run the image's entrypoint (the default)"},
    option_word{"container-backend", "BACKEND", backend_key, nullptr, false,
                "how the image becomes a file system: auto, kernel (trusted images only), fuse, "
                "or unpack (into the node's cache)"},
    option_word{"container-stage", "auto|always|never", stage_key, nullptr, false,
                "copy the image to every node of the job before the step starts: always, never, or "
                "where many nodes would read it from a shared file system"},
    option_word{"container-slurm", nullptr, slurm_key, yes, false,
                "make the node's srun, sbatch, squeue and scontrol work in the container"},
    option_word{"no-container-slurm", nullptr, slurm_key, no, false,
                "leave Slurm's commands to the image (the default, unless the site changes it)"},
    option_word{
        "container-timing", nullptr, timing_key, yes, false,
        "tell on standard error where the time of the start went: one line for each slow node and "
        "one for all"},
};

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string shown_name(const option_word& option) {
  return fmt::format("--{}", option.name);
}

result<void> check_length(std::string_view value) {
  if (value.empty()) return fail("needs a value");
  if (value.size() <= longest_value) return {};
  return fail(fmt::format("its value has {} bytes; {} are possible", value.size(), longest_value));
}

// The name under which users know a key.
std::string option_of(std::string_view key) {
  const auto option =
      std::find_if(words.begin(), words.end(), [&](const auto& one) { return one.key == key; });
  return option == words.end() ? std::string(key) : shown_name(*option);
}

result<bool> parse_switch(std::string value) {
  std::transform(value.begin(), value.end(), value.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto* word : {"1", "true", "yes", "y", "on"}) {
    if (value == word) return true;
  }
  for (const auto* word : {"0", "false", "no", "n", "off"}) {
    if (value == word) return false;
  }
  return fail("is neither yes nor no");
}

result<void> choose_from_variable(choices& into, const option_word& option, std::string value) {
  if (option.means != nullptr) {
    const auto on = parse_switch(value);
    if (!on) return failure(on.error());
    value = *on ? option.means : (option.means == std::string_view(yes) ? no : yes);
  } else if (auto fits = check_length(value); !fits) {
    return fits;
  }
  // Of two variables for one thing, such as ..._WRITABLE and ..._READONLY, the first one counts.
  into.try_emplace(option.key, std::move(value));
  return {};
}

std::optional<std::string> value_of(const choices& given, const char* key) {
  const auto found = given.find(key);
  return found == given.end() ? std::nullopt : std::optional(found->second);
}

result<std::string> parse_workdir(const std::string& path) {
  if (has_control(path)) return fail("holds a control character");
  if (path.size() > longest_path) return fail(fmt::format("is longer than {} bytes", longest_path));
  if (path.empty() || path.front() != '/') {
    return fail(fmt::format("\"{}\" is not an absolute path in the container", path));
  }
  return path;
}

bool is_variable_name(std::string_view name) {
  const auto fits = [](char c) {
    return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
  };
  return !name.empty() && name.size() <= longest_name &&
         std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(), fits);
}

result<std::vector<std::string>> parse_names(const std::string& text) {
  auto names = split(text, ',');
  for (const auto& name : names) {
    if (is_variable_name(name)) continue;
    const bool shown = !has_control(name) && name.size() <= longest_name;
    return fail(fmt::format("\"{}\" is not the name of a variable; write NAME,NAME,...",
                            shown ? name : "?"));
  }
  return names;
}

// Steps share a root but never each other's mounts, so "no_exec" is what happens anyway.
result<name_use> parse_name_use(std::string_view flag) {
  constexpr std::array<std::pair<std::string_view, name_use>, 4> known{
      {{"auto", name_use::any},
       {"no_exec", name_use::any},
       {"create", name_use::create},
       {"exec", name_use::existing}}};
  for (const auto& [word, use] : known) {
    if (flag == word) return use;
  }
  return fail(fmt::format("flag \"{}\" is none of auto, create, exec, no_exec",
                          has_control(flag) || flag.size() > longest_name ? "?" : flag));
}

result<container_name> parse_name(const std::string& text) {
  const auto colon = text.find(':');
  const auto name = text.substr(0, colon);
  if (auto fits = check_name(name); !fits) return pass(std::move(fits));
  if (colon == std::string::npos) return container_name{name, name_use::any};
  const auto use = parse_name_use(std::string_view(text).substr(colon + 1));
  if (!use) return failure(use.error());
  return container_name{name, *use};
}

result<std::string> parse_save(const std::string& path, const std::string& folder) {
  if (has_control(path)) return fail("holds a control character");
  auto whole = (std::filesystem::path(folder) / path).lexically_normal().string();
  if (whole.size() > longest_path)
    return fail(fmt::format("is longer than {} bytes", longest_path));
  if (whole.empty() || whole.back() == '/') {
    return fail(fmt::format("\"{}\" is not the name of a file", path));
  }
  return whole;
}

result<bool> parse_yes_or_no(const std::string& value) {
  if (value == yes || value == no) return value == yes;
  return fail("is neither 0 nor 1");
}

result<backend_choice> parse_backend(const std::string& word) {
  constexpr std::array<std::pair<std::string_view, backend_choice>, 4> known{
      {{"auto", backend_choice::any},
       {"kernel", backend_choice::kernel},
       {"fuse", backend_choice::fuse},
       {"unpack", backend_choice::unpack}}};
  for (const auto& [name, backend] : known) {
    if (word == name) return backend;
  }
  return fail(fmt::format("\"{}\" is none of auto, kernel, fuse, unpack",
                          has_control(word) || word.size() > longest_name ? "?" : word));
}

result<stage_choice> parse_stage(const std::string& word) {
  if (word == "auto") return stage_choice::any;
  if (word == "always") return stage_choice::always;
  if (word == "never") return stage_choice::never;
  return fail(fmt::format("\"{}\" is none of auto, always, never",
                          has_control(word) || word.size() > longest_name ? "?" : word));
}

template <class Value, class Parser>
result<void> read_choice(const choices& given, const char* key, Value& into, Parser parse) {
  const auto text = value_of(given, key);
  if (!text) return {};
  if (auto fits = check_length(*text); !fits) return pass(std::move(fits), option_of(key));
  auto value = parse(*text);
  if (!value) return pass(std::move(value), option_of(key));
  into = std::move(*value);
  return {};
}

}  // namespace

std::span<const option_word> option_words() {
  return words;
}

result<void> choose(choices& into, const option_word& option, std::string_view value) {
  const auto meant = option.means != nullptr ? std::string_view(option.means) : value;
  // Before it is copied: it may be of any length.
  if (auto fits = check_length(meant); !fits) return pass(std::move(fits), shown_name(option));
  const std::string text(meant);
  const auto [entry, fresh] = into.try_emplace(option.key, text);
  if (fresh || entry->second == text) return {};
  if (option.means != nullptr) {
    return fail(fmt::format("{} and its opposite are both given", shown_name(option)));
  }
  if (!option.adds) return fail(fmt::format("{} is given twice", shown_name(option)));
  auto longer = fmt::format("{},{}", entry->second, text);
  if (auto fits = check_length(longer); !fits) return pass(std::move(fits), shown_name(option));
  entry->second = std::move(longer);
  return {};
}

std::vector<std::string> variables_of(const option_word& option) {
  const std::string_view name = option.name;
  if (name.starts_with("no-")) return {};
  std::string capitals;
  for (const char c : name) {
    capitals += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return {"BERTH_" + capitals, "PYXIS_" + capitals};
}

result<choices> choices_of(const lookup& environment) {
  choices found;
  for (const auto& option : words) {
    for (const auto& variable : variables_of(option)) {
      auto value = environment(variable);
      if (!value || value->empty()) continue;
      auto done = choose_from_variable(found, option, std::move(*value));
      if (!done) return pass(std::move(done), variable);
      break;
    }
  }
  return found;
}

std::string travelling_name(std::string_view key) {
  return fmt::format("SLURM_BERTH_{}", key);
}

result<choices> choices_on_the_way(const lookup& environment) {
  choices found;
  for (const auto& option : words) {
    auto value = environment(travelling_name(option.key));
    if (!value || value->empty()) continue;
    if (auto fits = check_length(*value); !fits) {
      return pass(std::move(fits), travelling_name(option.key));
    }
    found.try_emplace(option.key, std::move(*value));
  }
  return found;
}

result<container_options> parse_options(const choices& given, const std::string& folder) {
  container_options options;
  const auto mounts = [&](const std::string& text) { return parse_mounts(text, folder); };
  const auto save_path = [&](const std::string& text) { return parse_save(text, folder); };
  auto read =
      read_choice(given, mounts_key, options.mounts, mounts)
          .and_then([&] { return read_choice(given, workdir_key, options.workdir, parse_workdir); })
          .and_then([&] { return read_choice(given, save_key, options.save, save_path); })
          .and_then([&] { return read_choice(given, name_key, options.name, parse_name); })
          .and_then([&] { return read_choice(given, env_key, options.environment, parse_names); })
          .and_then(
              [&] { return read_choice(given, home_key, options.mount_home, parse_yes_or_no); })
          .and_then(
              [&] { return read_choice(given, writable_key, options.writable, parse_yes_or_no); })
          .and_then(
              [&] { return read_choice(given, remap_key, options.remap_root, parse_yes_or_no); })
          .and_then([&] {
            return read_choice(given, entrypoint_key, options.entrypoint, parse_yes_or_no);
          })
          .and_then([&] { return read_choice(given, backend_key, options.backend, parse_backend); })
          .and_then([&] { return read_choice(given, stage_key, options.stage, parse_stage); })
          .and_then([&] { return read_choice(given, slurm_key, options.slurm, parse_yes_or_no); })
          .and_then(
              [&] { return read_choice(given, timing_key, options.timing, parse_yes_or_no); });
  if (!read) return pass(std::move(read));
  if (!options.save.empty() && !options.writable) {
    return fail("--container-save: nothing is written to a root that --container-readonly makes");
  }
  return options;
}

result<void> check_name(std::string_view name) {
  constexpr std::size_t longest = 64;
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
  };
  const bool known = std::all_of(name.begin(), name.end(), fits);
  if (known && !name.empty() && name.size() <= longest && name.front() != '.' &&
      name.front() != '-') {
    return {};
  }
  return fail(
      fmt::format("\"{}\" is not 1 to {} letters, digits, \"_\", \".\" and \"-\", the first "
                  "of them no \".\" or \"-\"",
                  known && name.size() <= longest ? name : "?", longest));
}

choices made_absolute(choices given, const std::string& folder) {
  if (const auto save = given.find(save_key); save != given.end()) {
    if (auto path = parse_save(save->second, folder)) save->second = std::move(*path);
  }
  const auto mounts = given.find(mounts_key);
  if (mounts == given.end()) return given;
  if (const auto parsed = parse_mounts(mounts->second, folder)) {
    mounts->second = format_mounts(*parsed);
  }
  return given;
}

}  // namespace berth::container
