#include "cli/named_list.hpp"

#include <fmt/format.h>

#include <ctime>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/text.hpp"
#include "cli/named_layer.hpp"
#include "cli/report.hpp"
#include "cli/size_text.hpp"
#include "cli/terminal_text.hpp"
#include "container/container_options.hpp"
#include "container/id_map.hpp"

namespace berth::cli {
namespace {

using nlohmann::ordered_json;

struct listed {
  std::string name;
  layer_record record;
  std::uint64_t size = 0;
  std::optional<pid_t> holder;
};

// Nothing where it was removed meanwhile, or is what a removal left.
result<std::optional<listed>> look_at(const std::string& folder, const std::string& name) {
  const auto layer = named_layer::look(folder, name);
  if (!layer) return failure(layer.error());
  if (!*layer) return std::nullopt;
  auto record = (*layer)->record();
  if (!record) return pass(std::move(record));
  if (!*record) return std::nullopt;
  return listed{name, std::move(**record), (*layer)->size(), (*layer)->holder()};
}

void print_json(const std::vector<listed>& all) {
  auto list = ordered_json::array();
  for (const auto& one : all) {
    list.push_back({{"name", one.name},
                    {"image", one.record.image},
                    {"created", one.record.created},
                    {"bytes", one.size},
                    {"pid", one.holder ? ordered_json(*one.holder) : ordered_json()}});
  }
  const ordered_json text{{"named", std::move(list)}};
  fmt::print("{}\n", text.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

void print_table(const std::vector<listed>& all) {
  const auto now = static_cast<std::int64_t>(::time(nullptr));
  fmt::print("{:<20}  {:>8}  {:<12}  {:>8}  {}\n", "NAME", "SIZE", "AGE", "PID", "IMAGE");
  for (const auto& one : all) {
    fmt::print("{:<20}  {:>8}  {:<12}  {:>8}  {}\n", one.name, size_text(one.size),
               age_text(now - static_cast<std::int64_t>(one.record.created)),
               one.holder ? fmt::format("{}", *one.holder) : "-", printable(one.record.image));
  }
}

}  // namespace

int list_named(list_form form) {
  const auto folder = named_folder();
  if (!folder) return report(folder.error());
  // As its root, who sees what is in folders that they closed to themselves.
  const auto entered = container::enter_user_namespace(container::current_identity(), 0, 0);
  if (!entered) return report(entered.error());
  const auto names = named_containers(*folder);
  if (!names) return report(names.error());
  int exit_code = 0;
  std::vector<listed> all;
  for (const auto& name : *names) {
    if (!container::check_name(name)) continue;
    auto one = look_at(*folder, name);
    if (!one) {
      exit_code =
          report(std::move(one).error().with_context(fmt::format("container \"{}\"", name)));
    } else if (*one) {
      all.push_back(std::move(**one));
    }
  }
  if (form == list_form::json) print_json(all);
  if (form == list_form::table) print_table(all);
  if (form == list_form::names) {
    for (const auto& one : all) fmt::print("{}\n", one.name);
  }
  return exit_code;
}

}  // namespace berth::cli
