#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/subprocess.hpp"
#include "base/unique_fd.hpp"
#include "cli/report.hpp"
#include "cli/size_text.hpp"
#include "cli/verbs.hpp"
#include "image/metadata.hpp"
#include "image/squashfs.hpp"
#include "image/trust.hpp"

namespace berth::cli {
namespace {

constexpr const char* examples = R"(Examples:
  berth inspect img.sqsh
  berth inspect --json img.sqsh | jq -r .architecture)";

struct facts {
  std::string path;
  image::superblock block;
  std::uint64_t size = 0;
  image::path_facts trust;
  std::optional<image::image_metadata> metadata;
  std::string metadata_problem;
};

// Nothing is mounted: unsquashfs unpacks the one small file to its standard output. An image of
// another tool has none, which is no error.
void read_metadata(facts& known) {
  const std::string inside(image::metadata_path.substr(1));
  const auto printed = run({{"unsquashfs", "-cat", known.path, inside}, current_environment(), {}});
  if (!printed) {
    known.metadata_problem = printed.error().text() + "; install the package squashfs-tools";
    return;
  }
  if (printed->exit_code != 0 || printed->out.empty()) return;
  auto parsed = image::parse_metadata(printed->out);
  if (parsed) {
    known.metadata = std::move(*parsed);
  } else {
    known.metadata_problem = fmt::format("\"{}\" {}", image::metadata_path, parsed.error().text());
  }
}

result<facts> gather(const std::string& path) {
  const auto named = fmt::format("image \"{}\"", path);
  const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) return fail_errno(fmt::format("{}: cannot open", named));
  auto block = image::read_superblock(fd.get());
  if (!block) return pass(std::move(block), named);
  auto trust = image::examine_path(path);
  if (!trust) return pass(std::move(trust), named);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail_errno(fmt::format("{}: cannot stat", named));
  facts known;
  known.path = path.starts_with('-') ? "./" + path : path;
  known.block = *block;
  known.size = static_cast<std::uint64_t>(info.st_size);
  known.trust = std::move(*trust);
  read_metadata(known);
  return known;
}

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

void print_text(const facts& known) {
  row("image", known.trust.path);
  row("size", fmt::format("{} ({} bytes)", size_text(known.size), known.size));
  row("format", fmt::format("squashfs 4.0, {}, blocks of {} KiB, {} inodes",
                            image::name_of(known.block.method), known.block.block_size / 1024,
                            known.block.inode_count));
  row("created", image::rfc3339(known.block.modified));
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
  row("packed by", known.metadata->tool);
}

void print_json(const facts& known) {
  nlohmann::ordered_json object{
      {"image", known.trust.path},
      {"bytes", known.size},
      {"format", "squashfs"},
      {"compressor", image::name_of(known.block.method)},
      {"block_size", known.block.block_size},
      {"inodes", known.block.inode_count},
      {"created", image::rfc3339(known.block.modified)},
      {"owner", user_name(known.trust.owner)},
      {"trusted_path", known.trust.weakest.empty()},
      {"weakest", known.trust.weakest},
      {"architecture", nullptr},
      {"host_architecture", image::host_architecture()},
  };
  if (known.metadata) {
    object["architecture"] = known.metadata->architecture;
    object["programs"] = known.metadata->programs;
    object["env"] = known.metadata->env;
    object["workdir"] = known.metadata->workdir;
    object["tool"] = known.metadata->tool;
  }
  fmt::print("{}\n", object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

int inspect(const std::string& path, bool json) {
  const auto known = gather(path);
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
  verb->add_option("IMAGE", *path, "Squashfs image")->required();
  verb->add_flag("--json", *json, "Print JSON");
  verb->footer(examples);
  verb->callback([path, json, &exit_code] { exit_code = inspect(*path, *json); });
}

}  // namespace berth::cli
