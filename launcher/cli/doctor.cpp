#include "cli/doctor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "binding/site_process.hpp"
#include "cli/cache_folder.hpp"
#include "cli/verbs.hpp"

namespace berth::cli {
namespace {

constexpr const char* examples = R"(Examples:
  berth doctor                                this machine
  srun -N4 --label berth doctor               every node of a job
  berth doctor --json | jq '.[] | select(.result == "wrong")')";

struct look {
  const char* word;
  const char* colour;
};

const look& look_of(verdict result) {
  static constexpr std::array looks{look{"ok", "\033[32m"}, look{"note", "\033[33m"},
                                    look{"unknown", "\033[36m"}, look{"wrong", "\033[31m"}};
  return looks.at(static_cast<std::size_t>(result));
}

void print_text(const std::vector<finding>& all) {
  const bool colour = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  for (const auto& one : all) {
    const auto& [word, paint] = look_of(one.result);
    fmt::print("{}{:<8}{}{:<16} {}\n", colour ? paint : "", word, colour ? "\033[0m" : "", one.name,
               one.found);
    if (!one.cure.empty()) fmt::print("{:<24} -> {}\n", "", one.cure);
  }
  const auto count = [&](verdict result) {
    return std::count_if(all.begin(), all.end(),
                         [&](const finding& one) { return one.result == result; });
  };
  fmt::print("{} wrong, {} to note, {} not known, {} fine\n", count(verdict::wrong),
             count(verdict::note), count(verdict::unknown), count(verdict::ok));
}

void print_json(const std::vector<finding>& all) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& one : all) {
    list.push_back({{"name", one.name},
                    {"result", look_of(one.result).word},
                    {"found", one.found},
                    {"cure", one.cure}});
  }
  fmt::print("{}\n", list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

int examine(const doctor_paths& where, bool json) {
  auto all = examine_kernel();
  for (auto&& part : {examine_programs(), examine_slurm(where), examine_node(where)}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  if (json) {
    print_json(all);
  } else {
    print_text(all);
  }
  return std::any_of(all.begin(), all.end(),
                     [](const finding& one) { return one.result == verdict::wrong; })
             ? 1
             : 0;
}

}  // namespace

void add_doctor(CLI::App& app, int& exit_code) {
  auto* verb = app.add_subcommand("doctor", "Say what is wrong with this node and how to mend it");
  auto where = std::make_shared<doctor_paths>();
  auto json = std::make_shared<bool>(false);
  where->slurm_conf = "/etc/slurm/slurm.conf";
  where->site_file = lua::default_site_file;
  where->cache = default_cache_folder();
  verb->add_option("--slurm-conf", where->slurm_conf, "Slurm's configuration")
      ->envname("SLURM_CONF")
      ->type_name("FILE")
      ->capture_default_str();
  verb->add_option("--site", where->site_file, "Site file")
      ->envname("BERTH_SITE")
      ->type_name("FILE")
      ->capture_default_str();
  verb->add_option("--cache", where->cache, "The cache of unpacked images")
      ->envname("BERTH_CACHE")
      ->type_name("DIR")
      ->capture_default_str();
  verb->add_flag("--json", *json, "Print JSON");
  verb->footer(examples);
  verb->callback([where, json, &exit_code] { exit_code = examine(*where, *json); });
}

}  // namespace berth::cli
