#include "image/convert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <thread>

#include "base/subprocess.hpp"
#include "image/erofs_archive.hpp"

namespace berth::image {
namespace {

// One session of fakeroot, which remembers the owners, devices and attributes that the first
// program sets and shows them to the last. The caller can read every file in between: the real
// permissions get what is missing, the pretended ones stay.
constexpr const char* unpack_and_pack =
    "unsquashfs -quiet -no-progress -dest \"$1\" \"$2\" && "
    "LD_PRELOAD= chmod -R u+rX \"$1\" && "
    "mkfs.erofs --quiet -zlz4hc \"$3\" \"$1\"";

struct provider {
  const char* program;
  const char* package;
};
constexpr std::array providers{
    provider{"fakeroot", "fakeroot"},          provider{"unsquashfs", "squashfs-tools"},
    provider{"tar2sqfs", "squashfs-tools-ng"}, provider{"mkfs.erofs", "erofs-utils"},
    provider{"fsck.erofs", "erofs-utils"},
};

// A shell says "not found", a call of ours ENOENT.
failure explained(error why) {
  const bool missing = why.code() == std::errc::no_such_file_or_directory ||
                       why.text().find("not found") != std::string::npos;
  for (const auto& [program, package] : providers) {
    if (missing && why.text().find(program) != std::string::npos) {
      return failure(std::move(why).with_hint(fmt::format("install the package {}", package)));
    }
  }
  if (why.text().find("No space left") != std::string::npos) {
    return failure(std::move(why).with_hint("TMPDIR chooses another folder"));
  }
  return failure(std::move(why));
}

result<void> run_tool(std::vector<std::string> argv) {
  auto env = current_environment();
  for (auto& entry : env) {
    if (entry.starts_with("PATH=")) entry += ":/usr/sbin:/sbin";
  }
  std::erase_if(env, [](const std::string& e) { return e.starts_with("SOURCE_DATE_EPOCH="); });
  auto done = run_ok({std::move(argv), std::move(env), {}});
  if (!done) return explained(std::move(done).error());
  return {};
}

// Not sqfstar, which cannot be told a compression level; and only zstd: unsquashfs does not read
// what tar2sqfs compresses with lz4. Level 9 as in stage.cpp.
std::vector<std::string> packer(const std::string& output, std::uint64_t created) {
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  return {"tar2sqfs",     "--quiet",    "--no-skip",
          "--force",      "--num-jobs", fmt::format("{}", cores),
          "--compressor", "zstd",       "--comp-extra",
          "level=9",      "--defaults", fmt::format("mtime={}", created),
          output};
}

}  // namespace

result<void> squashfs_to_erofs(const std::string& path, const std::string& staging,
                               const std::string& output, const progress& report) {
  report("converting", 0, 0);
  return run_tool(
      {"fakeroot", "--", "sh", "-c", unpack_and_pack, "sh", staging + "/root", path, output});
}

result<void> erofs_to_squashfs(int fd, const erofs_superblock& block, const std::string& path,
                               const std::string& staging, const std::string& output,
                               const progress& report) {
  report("reading", 0, 0);
  const erofs_reader image(fd, block);
  const auto files = list_files(image);  // before another program trusts the image's names
  if (!files) return failure(files.error());
  const auto root = staging + "/root";
  report("unpacking", 0, 0);
  if (auto done = run_tool({"fsck.erofs", "--no-preserve", "--extract=" + root, path}); !done) {
    return done;
  }
  if (auto done = run_tool({"chmod", "-R", "u+rwX", root}); !done) return done;
  std::signal(SIGPIPE, SIG_IGN);  // a packer that ends early says why
  auto program = fed_program::start({packer(output, block.created), current_environment(), {}});
  if (!program) return explained(std::move(program).error());
  auto written = write_archive(image, *files, root, program->input(), report);
  if (auto ended = program->finish(); !ended) return explained(std::move(ended).error());
  return written;
}

}  // namespace berth::image
