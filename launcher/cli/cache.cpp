#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ctime>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cli/cache_folder.hpp"
#include "cli/report.hpp"
#include "cli/size_text.hpp"
#include "cli/terminal_text.hpp"
#include "cli/verbs.hpp"
#include "image/cache.hpp"
#include "image/metadata.hpp"

namespace berth::cli {
namespace {

using image::cache_entry;
using image::node_cache;
using nlohmann::ordered_json;

constexpr const char* examples = R"(Examples:
  berth cache ls                              unpacked images of this node
  berth cache verify                          is every file as it was unpacked
  berth cache prune --older 7                 those that nobody used for a week
  berth cache prune --all                     all that nobody uses now
  srun -N4 berth cache ls                     on each node of a job)";

struct options {
  std::string folder;
  bool json = false;
  bool all = false;
  std::uint64_t older = 0;  // days; 0: not given
};

// Looking must not make one. The default may never have been needed.
bool is_absent_default(const options& given) {
  std::error_code none;
  return given.folder == default_cache_folder() && !std::filesystem::exists(given.folder, none) &&
         !none;
}

result<node_cache> open_cache(const options& given) {
  if (std::error_code none; !std::filesystem::exists(given.folder, none)) {
    return fail_errno(fmt::format("cache \"{}\"", given.folder), ENOENT);
  }
  return node_cache::open(given.folder, UINT64_MAX);
}

std::string user_name(uid_t uid) {
  const auto* entry = ::getpwuid(uid);
  return entry == nullptr ? fmt::format("{}", uid) : entry->pw_name;
}

std::string state_of(const cache_entry& entry) {
  if (!entry.problem.empty()) return entry.problem;
  return entry.in_use ? "in use" : "idle";
}

ordered_json json_of(const cache_entry& entry) {
  return {{"user", user_name(entry.user)},
          {"uid", entry.user},
          {"digest", "sha256:" + entry.digest},
          {"image", entry.source},
          {"bytes", entry.bytes},
          {"files", entry.files},
          {"filled", image::rfc3339(entry.filled)},
          {"used", image::rfc3339(entry.used)},
          {"in_use", entry.in_use},
          {"problem", entry.problem.empty() ? ordered_json(nullptr) : ordered_json(entry.problem)}};
}

void print_json(const ordered_json& what) {
  fmt::print("{}\n", what.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

int list_entries(const options& given) {
  const auto cache = open_cache(given);
  if (!cache) return report(cache.error());
  const auto entries = cache->list();
  if (!entries) return report(entries.error());
  if (given.json) {
    auto list = ordered_json::array();
    for (const auto& entry : *entries) list.push_back(json_of(entry));
    print_json(list);
    return 0;
  }
  fmt::print("{:<12}  {:<12}  {:>8}  {:>8}  {:<16}  {:<8}  {}\n", "DIGEST", "USER", "SIZE", "FILES",
             "USED", "STATE", "IMAGE");
  for (const auto& entry : *entries) {
    fmt::print("{:<12}  {:<12}  {:>8}  {:>8}  {:<16}  {:<8}  {}\n", entry.digest.substr(0, 12),
               user_name(entry.user), size_text(entry.bytes), entry.files,
               age_text(std::time(nullptr) - entry.used) + " ago", state_of(entry),
               printable(entry.source));
  }
  return 0;
}

int verify_entries(const options& given) {
  const auto cache = open_cache(given);
  if (!cache) return report(cache.error());
  const auto entries = cache->list();
  if (!entries) return report(entries.error());
  auto list = ordered_json::array();
  int exit_code = 0;
  for (const auto& entry : *entries) {
    const auto problem = cache->verify(entry);
    if (!problem) return report(problem.error());
    if (!problem->empty()) exit_code = 1;
    auto seen = json_of(entry);
    seen["problem"] = problem->empty() ? ordered_json(nullptr) : ordered_json(*problem);
    list.push_back(std::move(seen));
    if (!given.json) {
      fmt::print("{:<12}  {:<12}  {}\n", entry.digest.substr(0, 12), user_name(entry.user),
                 problem->empty() ? "ok" : *problem);
    }
  }
  if (given.json) print_json(list);
  return exit_code;
}

int prune_entries(const options& given) {
  auto cache = open_cache(given);
  if (!cache) return report(cache.error());
  constexpr std::int64_t day = 86400;
  const auto oldest = std::time(nullptr) - static_cast<std::int64_t>(given.older) * day;
  const auto gone = cache->prune([&](const cache_entry& entry) {
    return given.all || !entry.problem.empty() || (given.older > 0 && entry.used < oldest);
  });
  if (!gone) return report(gone.error());
  if (given.json) {
    auto list = ordered_json::array();
    for (const auto& entry : gone->entries) list.push_back(json_of(entry));
    print_json({{"removed", std::move(list)}, {"bytes", gone->bytes}});
    return 0;
  }
  for (const auto& entry : gone->entries) fmt::print("Deleted: sha256:{}\n", entry.digest);
  fmt::print("Total reclaimed space: {}\n", size_text(gone->bytes));
  return 0;
}

int say_nothing_is_there(const options& given) {
  if (given.json) {
    print_json(ordered_json::array());
  } else {
    fmt::print("nothing was unpacked here: there is no \"{}\"\n", given.folder);
  }
  return 0;
}

CLI::App* add_action(CLI::App& verb, const char* name, const char* what, int& exit_code,
                     const std::shared_ptr<options>& given, int (*run)(const options&)) {
  auto* action = verb.add_subcommand(name, what);
  action->add_option("--folder", given->folder, "The cache")
      ->envname("BERTH_CACHE")
      ->type_name("DIR")
      ->capture_default_str();
  action->add_flag("--json", given->json, "Print JSON");
  action->callback([given, run, &exit_code] {
    exit_code = is_absent_default(*given) ? say_nothing_is_there(*given) : run(*given);
  });
  return action;
}

}  // namespace

void add_cache(CLI::App& app, int& exit_code) {
  auto* verb = app.add_subcommand("cache", "Show, check and empty this node's unpacked images");
  verb->require_subcommand(1);
  verb->footer(examples);
  auto given = std::make_shared<options>();
  given->folder = default_cache_folder();
  add_action(*verb, "ls", "List the unpacked images", exit_code, given, list_entries);
  add_action(*verb, "verify", "Say whether all files are as they were unpacked", exit_code, given,
             verify_entries);
  auto* prune = add_action(*verb, "prune", "Remove what cannot be used any more", exit_code, given,
                           prune_entries);
  auto* all = prune->add_flag("-a,--all", given->all, "All images that no container uses");
  prune->add_option("--older", given->older, "Also those that nobody used for this many days")
      ->type_name("DAYS")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{36500}))
      ->excludes(all);
}

}  // namespace berth::cli
