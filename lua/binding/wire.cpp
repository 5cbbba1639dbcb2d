#include "binding/wire.hpp"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace berth::lua {
namespace {

using nlohmann::json;

// Raised while decoding, caught at the end of it: a field that is not what encode writes.
struct wrong_field {};

const json& member(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) throw wrong_field();
  return *found;
}

const json& object_of(const json& value, std::size_t members) {
  if (!value.is_object() || value.size() != members) throw wrong_field();
  return value;
}

template <class Number>
void read(const json& object, const char* name, Number& into) {
  const auto& value = member(object, name);
  if (!value.is_number_unsigned()) throw wrong_field();
  const auto number = value.get<std::uint64_t>();
  if (number > static_cast<std::uint64_t>(std::numeric_limits<Number>::max())) throw wrong_field();
  into = static_cast<Number>(number);
}
std::string text_of(const json& value) {
  if (!value.is_string()) throw wrong_field();
  return value.get<std::string>();
}
void read(const json& object, const char* name, std::string& into) {
  into = text_of(member(object, name));
}
void read(const json& object, const char* name, bool& into) {
  const auto& value = member(object, name);
  if (!value.is_boolean()) throw wrong_field();
  into = value.get<bool>();
}
void read(const json& object, const char* name, std::vector<std::string>& into) {
  const auto& value = member(object, name);
  if (!value.is_array()) throw wrong_field();
  for (const auto& entry : value) into.push_back(text_of(entry));
}

void read(const json& object, const char* name, std::map<std::string, std::string>& into) {
  const auto& value = member(object, name);
  if (!value.is_object()) throw wrong_field();
  for (const auto& [key, text] : value.items()) into[key] = text_of(text);
}

json write(const site::config& rules) {
  auto mounts = json::array();
  for (const auto& m : rules.mounts) {
    mounts.push_back({{"source", m.source},
                      {"target", m.target},
                      {"read_only", m.read_only},
                      {"required", m.required}});
  }
  return {{"folders", rules.images.folders},
          {"trusted", rules.images.trusted},
          {"mounts", std::move(mounts)},
          {"user_mounts_allowed", rules.user_mounts.allowed},
          {"user_mounts_forbidden", rules.user_mounts.forbidden},
          {"cache_folder", rules.cache.folder},
          {"cache_quota", rules.cache.quota},
          {"stage_folder", rules.stage.folder},
          {"stage_nodes", rules.stage.nodes},
          {"warm_idle", rules.warm_mounts.idle_seconds},
          {"set", rules.environment.set},
          {"unset", rules.environment.unset},
          {"pin", rules.pin},
          {"pin_partitions", rules.pin_partitions},
          {"pin_must_work", rules.on_pin_failure == site::pin_failure::fail},
          {"slurm_inside", rules.slurm_inside},
          {"workdir_of_image", rules.workdir == site::workdir_rule::image},
          {"overlay_size", rules.overlay_size},
          {"has_admit", rules.has_admit}};
}

site::mount_rule mount_of(const json& value) {
  const auto& object = object_of(value, 4);
  site::mount_rule rule;
  read(object, "source", rule.source);
  read(object, "target", rule.target);
  read(object, "read_only", rule.read_only);
  read(object, "required", rule.required);
  return rule;
}

site::config config_of(const json& value) {
  const auto& object = object_of(value, 19);
  site::config rules;
  rules.images = {{}, {}};
  rules.user_mounts = {{}, {}};
  read(object, "folders", rules.images.folders);
  read(object, "trusted", rules.images.trusted);
  const auto& mounts = member(object, "mounts");
  if (!mounts.is_array()) throw wrong_field();
  for (const auto& m : mounts) rules.mounts.push_back(mount_of(m));
  read(object, "user_mounts_allowed", rules.user_mounts.allowed);
  read(object, "user_mounts_forbidden", rules.user_mounts.forbidden);
  read(object, "cache_folder", rules.cache.folder);
  read(object, "cache_quota", rules.cache.quota);
  read(object, "stage_folder", rules.stage.folder);
  read(object, "stage_nodes", rules.stage.nodes);
  read(object, "warm_idle", rules.warm_mounts.idle_seconds);
  read(object, "set", rules.environment.set);
  read(object, "unset", rules.environment.unset);
  read(object, "pin", rules.pin);
  read(object, "pin_partitions", rules.pin_partitions);
  bool flag = false;
  read(object, "pin_must_work", flag);
  rules.on_pin_failure = flag ? site::pin_failure::fail : site::pin_failure::warn;
  read(object, "slurm_inside", rules.slurm_inside);
  read(object, "workdir_of_image", flag);
  rules.workdir = flag ? site::workdir_rule::image : site::workdir_rule::submit;
  read(object, "overlay_size", rules.overlay_size);
  read(object, "has_admit", rules.has_admit);
  return rules;
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Runs `read_from` on the parsed message; every way to fail is the same error.
template <class Value, class Reader>
result<Value> decode(std::string_view message, const char* what, Reader read_from) {
  const auto value = json::parse(message, nullptr, false);
  try {
    if (value.is_discarded()) throw wrong_field();
    return read_from(value);
  } catch (const wrong_field&) {
    return fail(fmt::format("the process that evaluates the site file sent a malformed {}", what));
  }
}

bool continues(std::string_view text, std::size_t at, std::size_t count) {
  for (std::size_t i = at; i < at + count; ++i) {
    if (i >= text.size() || (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return false;
  }
  return true;
}

// Length of the well-formed character at `at`, or 0.
std::size_t character_size(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const auto second = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0U;
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(text, at + 1, 1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second > 0x9f;
    return !overlong && !surrogate && continues(text, at + 1, 2) ? 3 : 0;
  }
  if (first < 0xf0 || first > 0xf4) return 0;
  const bool out_of_range = (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return !out_of_range && continues(text, at + 1, 3) ? 4 : 0;
}

}  // namespace

std::string encode(const evaluation& what) {
  if (!what.problems.empty()) return dump({{"problems", what.problems}});
  return dump({{"config", write(what.rules)}, {"from", what.from}});
}

std::string encode(const question& what) {
  const auto& [job, image] = what;
  return dump({{"job",
                {{"id", job.id},
                 {"step", job.step},
                 {"uid", job.uid},
                 {"gid", job.gid},
                 {"user", job.user},
                 {"account", job.account},
                 {"partition", job.partition},
                 {"node", job.node},
                 {"nodes", job.nodes},
                 {"tasks_on_node", job.tasks_on_node}}},
               {"image",
                {{"path", image.path},
                 {"size", image.size},
                 {"owner", image.owner},
                 {"trusted", image.trusted}}}});
}

std::string encode(const result<site::decision>& what) {
  if (!what) return dump({{"problem", what.error().text()}});
  return dump({{"admitted", what->admitted}, {"reason", what->reason}});
}

result<evaluation> decode_evaluation(std::string_view message) {
  return decode<evaluation>(message, "configuration", [](const json& value) {
    evaluation what;
    if (value.is_object() && value.contains("problems")) {
      read(object_of(value, 1), "problems", what.problems);
      if (what.problems.empty()) throw wrong_field();
      for (auto& line : what.problems) line = printable(line);
      return what;
    }
    what.rules = config_of(member(object_of(value, 2), "config"));
    const auto& from = member(value, "from");
    if (!from.is_object()) throw wrong_field();
    for (const auto& entry : from.items()) {
      read(from, entry.key().c_str(), what.from[printable(entry.key())]);
    }
    return what;
  });
}

result<question> decode_question(std::string_view message) {
  return decode<question>(message, "question", [](const json& value) {
    question what;
    const auto& job = object_of(member(object_of(value, 2), "job"), 10);
    read(job, "id", what.job.id);
    read(job, "step", what.job.step);
    read(job, "uid", what.job.uid);
    read(job, "gid", what.job.gid);
    read(job, "user", what.job.user);
    read(job, "account", what.job.account);
    read(job, "partition", what.job.partition);
    read(job, "node", what.job.node);
    read(job, "nodes", what.job.nodes);
    read(job, "tasks_on_node", what.job.tasks_on_node);
    const auto& image = object_of(member(value, "image"), 4);
    read(image, "path", what.image.path);
    read(image, "size", what.image.size);
    read(image, "owner", what.image.owner);
    read(image, "trusted", what.image.trusted);
    return what;
  });
}

result<site::decision> decode_decision(std::string_view message) {
  std::string problem;
  auto answer = decode<site::decision>(message, "decision", [&](const json& value) {
    site::decision what{false, {}};
    if (value.is_object() && value.contains("problem")) {
      read(object_of(value, 1), "problem", problem);
      return what;
    }
    read(object_of(value, 2), "admitted", what.admitted);
    read(value, "reason", what.reason);
    what.reason = printable(what.reason);
    return what;
  });
  if (!problem.empty()) return fail(printable(problem));
  return answer;
}

std::string printable(std::string_view text) {
  constexpr std::size_t longest = 1000;
  std::string line;
  for (std::size_t at = 0; at < text.size();) {
    const auto size = character_size(text, at);
    const auto c = static_cast<unsigned char>(text[at]);
    // U+0080 to U+009F are control characters too, U+009B starts terminal sequences.
    const bool control =
        c < 0x20 || c == 0x7f ||
        (c == 0xc2 && size == 2 && static_cast<unsigned char>(text[at + 1]) < 0xa0);
    if (line.size() + size > longest) return line + "...";
    if (size == 0 || control) {
      line += c == '\n' || c == '\t' ? ' ' : '?';
    } else {
      line += text.substr(at, size);
    }
    at += std::max<std::size_t>(size, 1);
  }
  return line;
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto size = character_size(text, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

}  // namespace berth::lua
