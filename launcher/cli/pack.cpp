#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/text.hpp"
#include "cli/interruptible.hpp"
#include "cli/output_file.hpp"
#include "cli/progress_line.hpp"
#include "cli/report.hpp"
#include "cli/size_text.hpp"
#include "cli/verbs.hpp"
#include "cli/version.hpp"
#include "image/pack.hpp"
#include "image/stage.hpp"

namespace berth::cli {
namespace {

namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

constexpr const char* examples = R"(Examples:
  berth pack ./train ./predict -o img.sqsh    programs, their libraries, Open MPI's plugins
  berth pack ./solver -o s.sqsh --file data/tables:/opt/tables --workdir /opt
  berth pack bash ls -o shell.sqsh --no-mpi --env LANG=C.UTF-8

An image that exists is kept; --force replaces it. SOURCE_DATE_EPOCH sets the image's time, else it
is that of the newest file packed, so that the same files give the same image.)";

struct options {
  image::pack_request request;
  std::vector<std::string> files;
  std::string output;
  std::string compressor = "zstd";
  bool no_mpi = false;
  bool force = false;
  bool json = false;
};

struct packed {
  image::pack_plan plan;
  std::size_t files = 0;
  std::uint64_t bytes = 0;
};

image::compressor method_of(const std::string& name) {
  for (const auto method : {image::compressor::gzip, image::compressor::lz4}) {
    if (image::name_of(method) == name) return method;
  }
  return image::compressor::zstd;
}

result<std::int64_t> image_time(std::int64_t newest) {
  const char* given = std::getenv("SOURCE_DATE_EPOCH");
  if (given == nullptr) return newest;
  const auto seconds = parse_unsigned(given);
  if (!seconds || *seconds > UINT32_MAX) {
    return fail(
        fmt::format("SOURCE_DATE_EPOCH \"{}\" is not a number of seconds since 1970", given));
  }
  return static_cast<std::int64_t>(*seconds);
}

void print_summary(const options& given, const packed& done, double seconds) {
  if (given.json) {
    const nlohmann::ordered_json summary{
        {"image", given.output}, {"programs", done.plan.metadata.programs},
        {"files", done.files},   {"bytes", done.bytes},
        {"seconds", seconds},    {"left_out", done.plan.left_out}};
    fmt::print("{}\n", summary.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  for (const auto& sentence : done.plan.left_out) {
    fmt::print(stderr, "berth: warning: left out: {}, ignoring\n", sentence);
  }
  const auto programs = done.plan.metadata.programs.size();
  fmt::print("{}: {} program{}, {} files, {}, {:.1f} s\n", given.output, programs,
             programs == 1 ? "" : "s", done.files, size_text(done.bytes), seconds);
}

// The worker's part; returns the exit code.
int make_image(const options& given, const std::string& staging, atomic_file& output) {
  const auto start = steady::now();
  progress_line line;
  line("looking for libraries", 0, 0);
  auto plan = image::plan_image(given.request);
  if (!plan) {
    line.clear();
    return report(plan.error(), 2);
  }
  const auto time = image_time(plan->created);
  if (!time) {
    line.clear();
    return report(time.error(), 2);
  }
  auto done = image::write_image(*plan, staging, output.temporary_path(),
                                 {method_of(given.compressor), *time}, std::ref(line));
  if (done) done = output.commit();
  line.clear();
  if (!done) return report(done.error());
  packed what{std::move(*plan), 0, 0};
  for (const auto& [path, node] : what.plan.files.nodes()) {
    what.files += std::holds_alternative<image::copied_file>(node) ||
                          std::holds_alternative<image::text_file>(node)
                      ? 1U
                      : 0U;
  }
  std::error_code unknown;
  what.bytes = fs::file_size(given.output, unknown);
  print_summary(given, what, std::chrono::duration<double>(steady::now() - start).count());
  return 0;
}

int pack(options given) {
  for (const auto& text : given.files) {
    auto file = image::parse_extra_file(text);
    if (!file) return report(file.error(), 2);
    given.request.files.push_back(std::move(*file));
  }
  given.request.mpi = !given.no_mpi;
  given.request.tool = fmt::format("berth {}", version);
  const char* path = std::getenv("PATH");
  given.request.search_path = path == nullptr ? "/usr/bin:/bin" : path;
  if (auto free = check_output(given.output, given.force); !free) return report(free.error(), 2);
  ending how;
  hold_signals();
  {
    auto output = atomic_file::create(given.output);
    if (!output) return report(output.error());
    const auto staging = image::staging_folder::create();
    if (!staging) return report(staging.error());
    how = run_interruptible([&] { return make_image(given, staging->path(), *output); });
  }
  return end_as(how);
}

}  // namespace

void add_pack(CLI::App& app, int& exit_code) {
  auto* verb = app.add_subcommand("pack", "Make an image of programs and all that they need");
  auto given = std::make_shared<options>();
  verb->add_option("PROGRAM", given->request.programs,
                   "Program or script; without a slash it is looked up in PATH")
      ->required();
  verb->add_option("-o,--output", given->output, "The image to write")
      ->required()
      ->type_name("IMAGE");
  verb->add_option("--file", given->files, "Also this file or folder (may be repeated)")
      ->type_name("SRC[:DST]")
      ->expected(1)
      ->take_all();
  verb->add_option("--env", given->request.env, "Set in every container (may be repeated)")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all();
  verb->add_option("--workdir", given->request.workdir, "Where programs start in the container")
      ->type_name("DIR");
  verb->add_option("--entrypoint", given->request.entrypoint,
                   "A word that --container-entrypoint puts before commands (may be repeated)")
      ->type_name("WORD")
      ->expected(1)
      ->take_all();
  verb->add_option("--cmd", given->request.cmd,
                   "A word of the command where none is given (may be repeated)")
      ->type_name("WORD")
      ->expected(1)
      ->take_all();
  verb->add_option("--compressor", given->compressor,
                   "zstd (small), lz4 (fastest to start) or gzip (oldest kernels)")
      ->check(CLI::IsMember({"zstd", "lz4", "gzip"}))
      ->type_name("NAME")
      ->capture_default_str();
  verb->add_flag("--no-mpi", given->no_mpi, "Leave out what MPI libraries open at run time");
  verb->add_flag("--force", given->force, "Replace an image that exists");
  verb->add_flag("--json", given->json, "Print the summary as JSON");
  verb->footer(examples);
  verb->callback([given, &exit_code] { exit_code = pack(*given); });
}

}  // namespace berth::cli
