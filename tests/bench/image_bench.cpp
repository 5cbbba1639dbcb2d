// What the formats of an image cost: the start of a container from squashfs, EROFS and a folder in
// turn, each with one program from it. What they cost their readers: files_bench.
// Prints medians; asserts nothing. As root, since it mounts.
//
//   image_bench [FILES [MEGABYTES [ROUNDS]]]        default 2000 files, 64 MB, 20 rounds
//   image_bench 40000 1500 5                        a whole installation

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "container/image_mount.hpp"
#include "container/rootfs.hpp"
#include "image/pack.hpp"
#include "image/stage.hpp"

namespace {

using namespace berth;
using namespace berth::container;
namespace fs = std::filesystem;

template <class Value>
Value must(result<Value>&& value, const char* what) {
  if (value) return std::move(*value);
  fmt::print(stderr, "image_bench: error: {}: {}\n", what, value.error().text());
  std::exit(1);
}

void must_run(std::vector<std::string> argv) {
  const auto name = argv.front();
  must(run_ok({std::move(argv), current_environment(), {}}), name.c_str());
}

double milliseconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - begin;
  return spent.count();
}

class results {
 public:
  void add(const std::string& name, double value) { all_[name].push_back(value); }
  void print(const char* title) {
    fmt::print("{}\n", title);
    for (auto& [name, values] : all_) {
      std::sort(values.begin(), values.end());
      fmt::print("  {:<34} {:9.1f} ms  ({:.1f} to {:.1f})\n", name, values[values.size() / 2],
                 values.front(), values.back());
    }
  }

 private:
  std::map<std::string, std::vector<double>> all_;
};

// Text that compresses about as programs do: words of a small vocabulary.
void plant_files(const std::string& root, std::uint64_t files, std::uint64_t bytes) {
  std::mt19937 random(1);
  std::string pool;
  while (pool.size() < (4U << 20)) {
    const auto word = random() % 4096;
    pool += word % 3 == 0 ? fmt::format("{:x}", random()) : fmt::format("word{} ", word);
  }
  const auto each = bytes / files;
  for (std::uint64_t i = 0; i < files; ++i) {
    const auto folder = fmt::format("{}/opt/{}/{}", root, i / 1000, i / 50 % 20);
    if (i % 50 == 0) fs::create_directories(folder);
    // Most files are small, few are large: sizes from a fifth to five times the mean.
    auto size = i % 6 == 0 ? each * 5 : each / 5;
    auto file = must(atomic_file::create(fmt::format("{}/{}", folder, i)), "file");
    while (size > 0) {
      const auto piece = std::min<std::uint64_t>(size, pool.size() / 2);
      const auto at = random() % (pool.size() / 2);
      must(write_all(file.fd(), std::string_view(pool).substr(at, piece)).map([] { return 0; }),
           "write");
      size -= piece;
    }
    fs::rename(file.temporary_path(), fmt::format("{}/{}", folder, i));
  }
}

image_file open(const std::string& path) {
  return must(open_image(path, "/", {}, current_identity()), "open");
}

// The whole way of a step: check, mount, namespace, overlay, new root, one program.
void start(const std::string& path) {
  const auto pid = ::fork();
  if (pid == 0) {
    auto mount = must(mount_kernel(open(path)), "mount");
    must(leave_mount_namespace().map([] { return 0; }), "namespace");
    must(enter_root(std::move(mount), {{}, 1 << 20, current_identity()}).map([] { return 0; }),
         "root");
    ::execl("/usr/bin/true", "true", nullptr);
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (status != 0) {
    fmt::print(stderr, "image_bench: error: the container failed\n");
    std::exit(1);
  }
}

void bench_start(const std::vector<std::pair<std::string, std::string>>& images, int rounds) {
  results found;
  for (int round = 0; round < rounds; ++round) {
    for (const auto& [name, path] : images) {
      found.add(name, milliseconds([&path = path] { start(path); }));
    }
  }
  found.print("start, first program, end:");
}

std::uint64_t number(int argc, char** argv, int at, std::uint64_t otherwise) {
  return argc > at ? parse_unsigned(argv[at]).value_or(otherwise) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  const auto files = number(argc, argv, 1, 2000);
  const auto megabytes = number(argc, argv, 2, 64);
  const auto rounds = static_cast<int>(number(argc, argv, 3, 20));
  auto pattern = std::string("/root/berth-bench-XXXXXX");
  const std::string folder = ::mkdtemp(pattern.data());
  image::pack_request request;
  request.programs = {"/usr/bin/true"};
  request.search_path = "/usr/bin";
  request.mpi = false;
  const auto plan = must(image::plan_image(request), "plan");
  fs::create_directory(folder + "/staging");
  must(image::write_image(plan, folder + "/staging", folder + "/small.sqsh", {},
                          [](std::string_view, std::size_t, std::size_t) {})
           .map([] { return 0; }),
       "pack");
  const auto root = folder + "/staging/root";
  plant_files(root, files, megabytes * 1000000);
  must_run({"mksquashfs", root, folder + "/a.sqsh", "-quiet", "-no-progress", "-comp", "zstd",
            "-Xcompression-level", "9"});
  must_run({"mkfs.erofs", "--quiet", "-zlz4hc", folder + "/a.erofs", root});
  fmt::print("{} files, {} MB: squashfs {} MB, EROFS {} MB\n", files, megabytes,
             fs::file_size(folder + "/a.sqsh") / 1000000,
             fs::file_size(folder + "/a.erofs") / 1000000);
  bench_start({{"squashfs (zstd)", folder + "/a.sqsh"},
               {"EROFS (lz4hc)", folder + "/a.erofs"},
               {"folder", root}},
              rounds);
  fs::remove_all(folder);
  return 0;
}
