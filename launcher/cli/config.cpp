#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "binding/site_process.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"

namespace berth::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* examples = R"(Examples:
  berth config check ./site.lua               every mistake with its line
  berth config show                           what is in effect and where it comes from
  berth config show --json | jq '."pin.default".value'
  berth config admit --job job.json --image image.json)";

struct options {
  std::string file = lua::default_site_file;
  bool json = false;
  std::string job;
  std::string image;
};

bool is_absent_default(const options& given) {
  std::error_code code;
  return given.file == lua::default_site_file && !std::filesystem::exists(given.file, code) &&
         !code;
}

// Prints every mistake; nothing when the file is not usable.
std::optional<lua::site_process> load(const options& given) {
  std::vector<std::string> problems;
  auto site = is_absent_default(given) ? lua::site_process::start_or_default(given.file)
                                       : lua::site_process::start(given.file, problems);
  if (site) return std::move(*site);
  if (problems.empty()) report(site.error());
  for (const auto& problem : problems) report(error(problem));
  return std::nullopt;
}

int check(const options& given) {
  const bool absent = is_absent_default(given);
  if (!load(given)) return 1;
  fmt::print("{}: {}\n", given.file, absent ? "does not exist, the defaults apply" : "ok");
  return 0;
}

ordered_json mounts_of(const site::config& rules) {
  auto list = ordered_json::array();
  for (const auto& m : rules.mounts) {
    list.push_back({{"source", m.source},
                    {"target", m.target},
                    {"read_only", m.read_only},
                    {"required", m.required}});
  }
  return list;
}

// Keys in the order of the manual.
std::vector<std::pair<std::string, ordered_json>> values_of(const site::config& rules) {
  const bool must_pin = rules.on_pin_failure == site::pin_failure::fail;
  const bool as_image = rules.workdir == site::workdir_rule::image;
  return {{"images.folders", rules.images.folders},
          {"images.trusted", rules.images.trusted},
          {"mounts", mounts_of(rules)},
          {"user_mounts.allowed", rules.user_mounts.allowed},
          {"user_mounts.forbidden", rules.user_mounts.forbidden},
          {"cache.folder", rules.cache.folder},
          {"cache.quota", rules.cache.quota},
          {"warm_mounts.idle_seconds", rules.warm_mounts.idle_seconds},
          {"environment.set", rules.environment.set},
          {"environment.unset", rules.environment.unset},
          {"pin.default", rules.pin},
          {"pin.partitions", rules.pin_partitions},
          {"pin.on_failure", must_pin ? "fail" : "warn"},
          {"stage.folder", rules.stage.folder},
          {"stage.nodes", rules.stage.nodes},
          {"slurm_inside", rules.slurm_inside},
          {"workdir", as_image ? "image" : "submit"},
          {"overlay_size", rules.overlay_size},
          {"admit", rules.has_admit ? ordered_json("function") : ordered_json(nullptr)}};
}

std::string origin_of(const lua::site_process& site, const std::string& file,
                      const std::string& key) {
  const auto found = site.from().find(key);
  return found == site.from().end() ? "default" : fmt::format("{}:{}", file, found->second);
}

int show(const options& given) {
  const auto site = load(given);
  if (!site) return 1;
  auto all = ordered_json::object();
  for (const auto& [key, value] : values_of(site->config())) {
    const auto from = origin_of(*site, given.file, key);
    if (given.json) {
      all[key] = {{"value", value}, {"from", from}};
    } else {
      fmt::print("{:<21} {}  ({})\n", key, value.is_null() ? "none" : value.dump(), from);
    }
  }
  if (given.json) fmt::print("{}\n", all.dump(2));
  return 0;
}

// Facts as a user describes them: what is left out keeps the default of the struct.
class fact_reader {
 public:
  static result<fact_reader> open(const std::string& path) {
    const auto text = read_file(path, std::size_t{1} << 20);
    if (!text) return failure(text.error());
    auto object = ordered_json::parse(*text, nullptr, false);
    if (!object.is_object()) return fail(fmt::format("file \"{}\" is not a JSON object", path));
    return fact_reader(path, std::move(object));
  }

  template <class Value>
  void take(const char* name, Value& into) {
    const auto found = object_.find(name);
    if (found == object_.end()) return;
    if (!matches(*found, into)) {
      problem_ = fmt::format("file \"{}\": \"{}\" has the wrong type", path_, name);
    } else {
      into = found->template get<Value>();
    }
    object_.erase(found);
  }

  result<void> finish() const {
    if (!problem_.empty()) return fail(problem_);
    if (object_.empty()) return {};
    return fail(fmt::format("file \"{}\": unknown field \"{}\"", path_, object_.begin().key()));
  }

 private:
  fact_reader(std::string path, ordered_json object)
      : path_(std::move(path)), object_(std::move(object)) {}
  static bool matches(const ordered_json& value, const std::string&) { return value.is_string(); }
  static bool matches(const ordered_json& value, bool) { return value.is_boolean(); }
  static bool matches(const ordered_json& value, std::uint64_t) {
    return value.is_number_unsigned();
  }
  static bool matches(const ordered_json& value, std::uint32_t) {
    return value.is_number_unsigned() && value.get<std::uint64_t>() <= 0xffffffffU;
  }

  std::string path_;
  ordered_json object_;
  std::string problem_;
};

result<site::job_facts> read_job(const std::string& path) {
  auto reader = fact_reader::open(path);
  if (!reader) return pass(std::move(reader));
  site::job_facts job;
  reader->take("id", job.id);
  reader->take("step", job.step);
  reader->take("uid", job.uid);
  reader->take("gid", job.gid);
  reader->take("user", job.user);
  reader->take("account", job.account);
  reader->take("partition", job.partition);
  reader->take("node", job.node);
  reader->take("nodes", job.nodes);
  reader->take("tasks_on_node", job.tasks_on_node);
  return reader->finish().map([&] { return job; });
}

result<site::image_facts> read_image(const std::string& path) {
  auto reader = fact_reader::open(path);
  if (!reader) return pass(std::move(reader));
  site::image_facts image;
  reader->take("path", image.path);
  reader->take("size", image.size);
  reader->take("owner", image.owner);
  reader->take("trusted", image.trusted);
  return reader->finish().map([&] { return image; });
}

int admit(const options& given) {
  const auto job = read_job(given.job);
  if (!job) return report(job.error(), 2);
  const auto image = read_image(given.image);
  if (!image) return report(image.error(), 2);
  auto site = load(given);
  if (!site) return 1;
  const auto answer = site->admit(*job, *image);
  if (!answer) return report(answer.error());
  fmt::print("{}\n", answer->admitted ? "admitted" : "refused: " + answer->reason);
  return answer->admitted ? 0 : 1;
}

CLI::App* add_action(CLI::App& verb, const char* name, const char* what, int& exit_code,
                     const std::shared_ptr<options>& given, int (*run)(const options&)) {
  auto* action = verb.add_subcommand(name, what);
  action->add_option("FILE,--site", given->file, "Site file")
      ->envname("BERTH_SITE")
      ->capture_default_str();
  action->callback([given, run, &exit_code] { exit_code = run(*given); });
  return action;
}

}  // namespace

void add_config(CLI::App& app, int& exit_code) {
  auto* verb = app.add_subcommand("config", "Check, show and try the site configuration");
  verb->require_subcommand(1);
  verb->footer(examples);
  auto given = std::make_shared<options>();
  add_action(*verb, "check", "Say whether a site file is usable, or every mistake in it", exit_code,
             given, check);
  add_action(*verb, "show", "Print the values in effect and where they come from", exit_code, given,
             show)
      ->add_flag("--json", given->json, "Print JSON");
  auto* ask =
      add_action(*verb, "admit", "Ask the policy function without a job", exit_code, given, admit);
  ask->add_option("--job", given->job, "JSON file with facts about the job")->required();
  ask->add_option("--image", given->image, "JSON file with facts about the image")->required();
}

}  // namespace berth::cli
