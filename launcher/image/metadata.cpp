#include "image/metadata.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"

namespace berth::image {
namespace {

using json = nlohmann::json;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Control bytes would let an image write to the terminal of whoever inspects it.
bool printable(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool legal_env(std::string_view entry) {
  const auto name = entry.substr(0, entry.find('='));
  return name.size() < entry.size() && !name.empty() && !is_digit(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '_'; }) &&
         entry.find('\0') == std::string_view::npos;
}

bool legal_path(std::string_view path) {
  if (path.empty() || path.front() != '/' || path.size() > 4095 || !printable(path)) return false;
  const auto parts = split(path, '/');
  return std::find(parts.begin(), parts.end(), "..") == parts.end();
}

// Words of a command: what execve(2) takes.
bool legal_words(const std::vector<std::string>& words) {
  return words.size() <= metadata_env_limit &&
         std::all_of(
             words.begin(), words.end(),
             [](const std::string& word) { return word.find('\0') == std::string::npos; }) &&
         (words.empty() || !words.front().empty());
}

bool legal_architecture(std::string_view name) {
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_';
  });
}

// "2024-05-01T12:00:00Z", or with an offset such as +02:00 in place of Z.
bool legal_time(std::string_view text) {
  constexpr std::string_view form = "0000-00-00T00:00:00";
  if (text.size() <= form.size() || text.size() > 40 || !printable(text)) return false;
  return std::equal(form.begin(), form.end(), text.begin(),
                    [](char f, char c) { return f == '0' ? is_digit(c) : f == c; });
}

template <class T>
result<T> value_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return T{};
  try {
    return found->get<T>();
  } catch (const json::exception&) {
    return fail(fmt::format("key \"{}\" has a value of the wrong type", key));
  }
}

template <class T>
bool take(const json& object, const char* key, T& into, result<void>& status) {
  auto value = value_of<T>(object, key);
  if (!value) {
    status = pass(std::move(value));
    return false;
  }
  into = std::move(*value);
  return true;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> oci_names{{
    {"x86_64", "amd64"},
    {"aarch64", "arm64"},
    {"i686", "386"},
    {"i386", "386"},
    {"armv7l", "arm"},
    {"armv6l", "arm"},
    {"loongarch64", "loong64"},
    {"mips64", "mips64"},
    {"ppc64le", "ppc64le"},
}};

}  // namespace

result<void> validate(const image_metadata& data) {
  if (!legal_architecture(data.architecture)) {
    return fail("key \"architecture\" is not the name of an architecture, such as \"amd64\"");
  }
  if (data.env.size() > metadata_env_limit) {
    return fail(fmt::format("more than {} environment variables", metadata_env_limit));
  }
  for (const auto& entry : data.env) {
    if (!legal_env(entry)) {
      return fail(fmt::format("\"{}\" is not an environment variable; write NAME=VALUE",
                              printable(entry) ? entry : "env"));
    }
  }
  if (!data.workdir.empty() && !legal_path(data.workdir)) {
    return fail("the working directory is not an absolute path without \"..\"");
  }
  if (!data.created.empty() && !legal_time(data.created)) {
    return fail("key \"created\" is not a time, such as \"2024-05-01T12:00:00Z\"");
  }
  if (data.programs.size() > metadata_env_limit ||
      !std::all_of(data.programs.begin(), data.programs.end(), legal_path)) {
    return fail("key \"programs\" is not a list of absolute paths");
  }
  if (!legal_words(data.entrypoint) || !legal_words(data.cmd)) {
    return fail("key \"entrypoint\" or \"cmd\" is not a list of the words of a command");
  }
  if (data.tool.size() > 128 || !printable(data.tool)) {
    return fail("key \"tool\" is not the name of a program");
  }
  return {};
}

result<image_metadata> parse_metadata(std::string_view text) {
  if (text.size() > metadata_size_limit) {
    return fail(fmt::format("larger than {} bytes", metadata_size_limit));
  }
  const auto object = json::parse(text, nullptr, false);
  if (!object.is_object()) return fail("is not a JSON object");
  const auto schema = object.find("schema");
  if (schema == object.end() || *schema != 1) {
    return fail("key \"schema\" is not 1; a newer berth may read it");
  }
  image_metadata data;
  result<void> status;
  if (!take(object, "architecture", data.architecture, status) ||
      !take(object, "env", data.env, status) || !take(object, "workdir", data.workdir, status) ||
      !take(object, "created", data.created, status) ||
      !take(object, "programs", data.programs, status) ||
      !take(object, "tool", data.tool, status) ||
      !take(object, "entrypoint", data.entrypoint, status) ||
      !take(object, "cmd", data.cmd, status)) {
    return pass(std::move(status));
  }
  if (auto valid = validate(data); !valid) return pass(std::move(valid));
  return data;
}

std::string write_metadata(const image_metadata& data) {
  nlohmann::ordered_json object;
  object["schema"] = 1;
  object["architecture"] = data.architecture;
  if (!data.env.empty()) object["env"] = data.env;
  if (!data.workdir.empty()) object["workdir"] = data.workdir;
  if (!data.created.empty()) object["created"] = data.created;
  if (!data.programs.empty()) object["programs"] = data.programs;
  if (!data.tool.empty()) object["tool"] = data.tool;
  if (!data.entrypoint.empty()) object["entrypoint"] = data.entrypoint;
  if (!data.cmd.empty()) object["cmd"] = data.cmd;
  return object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

std::string host_architecture() {
  utsname names{};
  ::uname(&names);
  const std::string_view machine = names.machine;
  const auto* found = std::find_if(oci_names.begin(), oci_names.end(),
                                   [&](const auto& pair) { return pair.first == machine; });
  return std::string(found == oci_names.end() ? machine : found->second);
}

std::string rfc3339(std::int64_t seconds_since_1970) {
  const auto seconds = static_cast<std::time_t>(seconds_since_1970);
  std::tm fields{};
  ::gmtime_r(&seconds, &fields);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &fields);
  return text.data();
}

}  // namespace berth::image
