#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "cli/interruptible.hpp"
#include "cli/output_file.hpp"
#include "cli/progress_line.hpp"
#include "cli/report.hpp"
#include "cli/size_text.hpp"
#include "cli/verbs.hpp"
#include "image/convert.hpp"
#include "image/kind.hpp"

namespace berth::cli {
namespace {

namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

constexpr const char* examples = R"(Examples:
  berth convert img.sqsh img.erofs            larger, and faster to start and to read
  berth convert img.erofs img.sqsh            smaller
  berth convert img.erofs img --format squashfs

Owners, modes, times, hard links, device nodes and extended attributes are kept; no privilege is
needed. What IMAGE is shows its content, what OUTPUT becomes its suffix: .erofs, or .sqsh, .sqfs and
.squashfs; without one, the other format.)";

struct options {
  std::string input;
  std::string output;
  std::string format;
  bool force = false;
  bool json = false;
};

struct source {
  unique_fd fd;
  image::image_content content;
  std::uint64_t size = 0;
  std::string path;  // safe on a command line
};

result<source> open_source(const std::string& path) {
  source image{unique_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)),
               {},
               0,
               fs::absolute(path).string()};
  struct stat info {};
  if (!image.fd || ::fstat(image.fd.get(), &info) != 0) {
    return fail_errno(fmt::format("image \"{}\": cannot open", path));
  }
  auto content = image::recognise(image.fd.get());
  if (!content) return pass(std::move(content), fmt::format("image \"{}\"", path));
  image.content = *content;
  image.size = static_cast<std::uint64_t>(info.st_size);
  if (image::kind_of(image.content) == image::kind::folder) {
    return fail(
        fmt::format("image \"{}\" is a folder; mksquashfs and mkfs.erofs make images of "
                    "folders",
                    path));
  }
  return image;
}

image::kind wanted_format(const options& given, image::kind from) {
  const auto suffix = fs::path(given.output).extension().string();
  const bool erofs = given.format == "erofs" || (given.format.empty() && suffix == ".erofs");
  const bool squashfs =
      given.format == "squashfs" ||
      (given.format.empty() && (suffix == ".sqsh" || suffix == ".sqfs" || suffix == ".squashfs"));
  if (erofs) return image::kind::erofs;
  if (squashfs || from == image::kind::erofs) return image::kind::squashfs;
  return image::kind::erofs;
}

void print_summary(const options& given, const source& from, image::kind format,
                   std::uint64_t bytes, double seconds) {
  if (given.json) {
    const nlohmann::ordered_json summary{
        {"image", given.output},
        {"format", format == image::kind::erofs ? "erofs" : "squashfs"},
        {"bytes", bytes},
        {"source", given.input},
        {"source_bytes", from.size},
        {"seconds", seconds}};
    fmt::print("{}\n", summary.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  fmt::print("{}: {}, {} (from {}), {:.1f} s\n", given.output, image::name_of(format),
             size_text(bytes), size_text(from.size), seconds);
}

// The worker's part; returns the exit code.
int make_image(const options& given, const source& from, image::kind format,
               const std::string& staging, atomic_file& output) {
  const auto start = steady::now();
  progress_line line;
  const auto* block = std::get_if<image::erofs_superblock>(&from.content);
  auto done = block == nullptr ? image::squashfs_to_erofs(from.path, staging,
                                                          output.temporary_path(), std::ref(line))
                               : image::erofs_to_squashfs(from.fd.get(), *block, from.path, staging,
                                                          output.temporary_path(), std::ref(line));
  struct stat info {};
  if (done && ::fstat(output.fd(), &info) != 0) done = fail_errno("cannot stat the new image");
  if (done) done = output.commit();
  line.clear();
  if (!done) {
    return report(std::move(done).error().with_context(fmt::format("image \"{}\"", given.input)));
  }
  print_summary(given, from, format, static_cast<std::uint64_t>(info.st_size),
                std::chrono::duration<double>(steady::now() - start).count());
  return 0;
}

int convert(const options& given) {
  const auto from = open_source(given.input);
  if (!from) return report(from.error(), 2);
  const auto kind = image::kind_of(from->content);
  const auto format = wanted_format(given, kind);
  if (format == kind) {
    return report(error(fmt::format("image \"{}\" is {} already; choose the other format by the "
                                    "name of OUTPUT or with --format",
                                    given.input, image::name_of(kind))),
                  2);
  }
  if (auto free = check_output(given.output, given.force); !free) return report(free.error(), 2);
  ending how;
  hold_signals();
  {
    auto output = atomic_file::create(given.output);
    if (!output) return report(output.error());
    const auto staging = image::staging_folder::create();
    if (!staging) return report(staging.error());
    how = run_interruptible(
        [&] { return make_image(given, *from, format, staging->path(), *output); });
  }
  return end_as(how);
}

}  // namespace

void add_convert(CLI::App& app, int& exit_code) {
  auto* verb = app.add_subcommand("convert", "Make an EROFS image of a squashfs image, and back");
  auto given = std::make_shared<options>();
  verb->add_option("IMAGE", given->input, "Squashfs or EROFS image")->required();
  verb->add_option("OUTPUT", given->output, "The image to write")->required();
  verb->add_option("--format", given->format, "squashfs or erofs, whatever the name of OUTPUT")
      ->check(CLI::IsMember({"squashfs", "erofs"}))
      ->type_name("NAME");
  verb->add_flag("--force", given->force, "Replace an image that exists");
  verb->add_flag("--json", given->json, "Print the summary as JSON");
  verb->footer(examples);
  verb->callback([given, &exit_code] { exit_code = convert(*given); });
}

}  // namespace berth::cli
