#include <fmt/format.h>
#include <pwd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/image_facts.hpp"
#include "cli/report.hpp"
#include "cli/size_text.hpp"
#include "cli/verbs.hpp"
#include "image/kind.hpp"
#include "image/metadata.hpp"
#include "image/trust.hpp"

namespace berth::cli {
namespace {

constexpr const char* examples = R"(Examples:
  berth inspect img.sqsh                      squashfs and EROFS images, unpacked folders
  berth inspect --json img.sqsh | jq -r .architecture)";

std::string user_name(uid_t uid) {
  const auto* entry = ::getpwuid(uid);
  return entry == nullptr ? fmt::format("uid {}", uid) : entry->pw_name;
}

// Values of variables may hold anything; a terminal gets only what it cannot act on.
std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    safe += byte < 0x20 || byte == 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return safe;
}

void row(std::string_view name, const std::string& value) {
  if (!value.empty()) fmt::print("{:<13} {}\n", name, escaped(value));
}

std::string match(const std::string& architecture) {
  const auto host = image::host_architecture();
  return architecture == host ? fmt::format("{} (as this machine)", architecture)
                              : fmt::format("{} (this machine is {})", architecture, host);
}

void header_rows(const image::superblock& block) {
  row("format",
      fmt::format("squashfs 4.0, {}, blocks of {} KiB, {} inodes", image::name_of(block.method),
                  block.block_size / 1024, block.inode_count));
  row("created", image::rfc3339(block.modified));
}

void header_rows(const image::erofs_superblock& block) {
  row("format", fmt::format("EROFS, {}, blocks of {} bytes, {} inodes",
                            image::algorithm_names(block), block.block_size, block.inode_count));
  row("created", image::rfc3339(static_cast<std::int64_t>(block.created)));
}

void header_rows(const image::unpacked&) {
  row("format", "unpacked folder");
}

void print_text(const image_facts& known) {
  row("image", known.trust.path);
  if (image::kind_of(known.content) != image::kind::folder) {
    row("size", fmt::format("{} ({} bytes)", size_text(known.size), known.size));
  }
  std::visit([](const auto& content) { header_rows(content); }, known.content);
  row("owner", user_name(known.trust.owner));
  row("trust", known.trust.weakest.empty()
                   ? "only root can change it"
                   : fmt::format("others than root can change \"{}\"", known.trust.weakest));
  if (!known.metadata) {
    row("architecture", "unknown (not packed by berth)");
    if (!known.metadata_problem.empty()) {
      fmt::print(stderr, "berth: warning: {}, ignoring\n", escaped(known.metadata_problem));
    }
    return;
  }
  row("architecture", match(known.metadata->architecture));
  for (const auto& program : known.metadata->programs) row("program", program);
  for (const auto& entry : known.metadata->env) row("env", entry);
  row("workdir", known.metadata->workdir);
  row("entrypoint", fmt::format("{}", fmt::join(known.metadata->entrypoint, " ")));
  row("cmd", fmt::format("{}", fmt::join(known.metadata->cmd, " ")));
  row("packed by", known.metadata->tool);
}

nlohmann::ordered_json header_json(const image::superblock& block) {
  return {{"format", "squashfs"},
          {"compressor", image::name_of(block.method)},
          {"block_size", block.block_size},
          {"inodes", block.inode_count},
          {"created", image::rfc3339(block.modified)}};
}

nlohmann::ordered_json header_json(const image::erofs_superblock& block) {
  return {{"format", "erofs"},
          {"compressor", image::algorithm_names(block)},
          {"block_size", block.block_size},
          {"inodes", block.inode_count},
          {"created", image::rfc3339(static_cast<std::int64_t>(block.created))}};
}

nlohmann::ordered_json header_json(const image::unpacked&) {
  return {{"format", "folder"}};
}

void print_json(const image_facts& known) {
  nlohmann::ordered_json object{{"image", known.trust.path}};
  if (image::kind_of(known.content) != image::kind::folder) object["bytes"] = known.size;
  object.update(
      std::visit([](const auto& content) { return header_json(content); }, known.content));
  object.update({{"owner", user_name(known.trust.owner)},
                 {"trusted_path", known.trust.weakest.empty()},
                 {"weakest", known.trust.weakest},
                 {"architecture", nullptr},
                 {"host_architecture", image::host_architecture()}});
  if (known.metadata) {
    object["architecture"] = known.metadata->architecture;
    object["programs"] = known.metadata->programs;
    object["env"] = known.metadata->env;
    object["workdir"] = known.metadata->workdir;
    object["entrypoint"] = known.metadata->entrypoint;
    object["cmd"] = known.metadata->cmd;
    object["tool"] = known.metadata->tool;
  }
  fmt::print("{}\n", object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

int inspect(const std::string& path, bool json) {
  const auto known = gather_facts(path);
  if (!known) return report(known.error(), 2);
  if (json) {
    print_json(*known);
  } else {
    print_text(*known);
  }
  return 0;
}

}  // namespace

void add_inspect(CLI::App& app, int& exit_code) {
  auto* verb = app.add_subcommand("inspect", "Say what an image is and whether it fits here");
  auto path = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  verb->add_option("IMAGE", *path, "Squashfs or EROFS image, or an unpacked folder")->required();
  verb->add_flag("--json", *json, "Print JSON");
  verb->footer(examples);
  verb->callback([path, json, &exit_code] { exit_code = inspect(*path, *json); });
}

}  // namespace berth::cli
