#include "cli/explanation.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cli/size_text.hpp"

namespace berth::cli {
namespace {

using namespace berth::container;
using nlohmann::ordered_json;

const char* kind_name(image::kind kind) {
  switch (kind) {
    case image::kind::squashfs:
      return "squashfs";
    case image::kind::erofs:
      return "EROFS";
    case image::kind::folder:
      break;
  }
  return "folder";
}

void row(const char* name, const std::string& text) {
  fmt::print("{:<12} {}\n", name, printable(text));
}

ordered_json json_of(const bind& mount) {
  return {{"source", source_name(mount)},
          {"target", mount.target},
          {"read_only", mount.read_only},
          {"required", mount.required},
          {"origin", mount.origin}};
}

ordered_json json_of(const environment_edit& edit) {
  return {{"name", edit.name},
          {"value", edit.value ? ordered_json(*edit.value) : ordered_json(nullptr)},
          {"origin", edit.origin}};
}

template <class Item>
ordered_json list_of(const std::vector<Item>& items) {
  auto list = ordered_json::array();
  for (const auto& item : items) list.push_back(json_of(item));
  return list;
}

}  // namespace

void print_text(const explanation& all) {
  row("image",
      fmt::format("{} ({}, {})", all.image.trust.path, kind_name(image::kind_of(all.image.content)),
                  size_text(all.image.size)));
  row("backend", fmt::format("{}: {}", all.backend.what, all.backend.why));
  for (const auto& mount : all.mounts) {
    auto line = container::describe({mount});
    line.pop_back();
    row("mount", line);
  }
  for (const auto& [name, value, origin] : all.environment) {
    row("environment", value ? fmt::format("{}={} ({})", name, *value, origin)
                             : fmt::format("{} removed ({})", name, origin));
  }
  row("workdir", fmt::format("{} ({})", all.workdir.what, all.workdir.why));
  row("pin", fmt::format("{} ({})", all.pin.what, all.pin.why));
  for (const auto& line : all.placement.lines) row("pin plan", line);
  for (const auto& line : lines_of(all.mpi)) row("mpi", line);
  row("user", fmt::format("{} ({})", all.user.what, all.user.why));
  row("writes", fmt::format("{} ({})", all.root.what, all.root.why));
  row("entrypoint", fmt::format("{} ({})", all.entrypoint.what, all.entrypoint.why));
  for (const auto& warning : all.warnings) row("warning", warning);
}

void print_json(const explanation& all) {
  const auto& metadata = all.image.metadata;
  ordered_json object;
  object["image"] = {{"path", all.image.trust.path},
                     {"format", kind_name(image::kind_of(all.image.content))},
                     {"bytes", all.image.size},
                     {"architecture", nullptr}};
  if (metadata) object["image"]["architecture"] = metadata->architecture;
  object["backend"] = {{"name", all.backend.what}, {"why", all.backend.why}};
  object["mounts"] = list_of(all.mounts);
  object["environment"] = list_of(all.environment);
  object["workdir"] = {{"path", all.workdir.what}, {"origin", all.workdir.why}};
  object["pin"] = {{"words", all.pin.what}, {"origin", all.pin.why}};
  object["pin"]["plan"] =
      all.placement.json.empty() ? ordered_json(nullptr) : ordered_json::parse(all.placement.json);
  object["mpi"] = json_of(all.mpi);
  object["user"] = {{"id", all.user.what}, {"origin", all.user.why}};
  object["writes"] = {{"end", all.root.what}, {"origin", all.root.why}};
  object["entrypoint"] = {{"words", all.entrypoint.what}, {"origin", all.entrypoint.why}};
  object["warnings"] = all.warnings;
  fmt::print("{}\n", object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace berth::cli
