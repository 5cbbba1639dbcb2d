// What an image's format costs whoever reads it: `import sklearn` and `find /`, cold and warm, from
// a folder, from squashfs and EROFS in the kernel and from squashfs through FUSE, in turns; and
// unpacking into the node cache against unsquashfs alone. The image holds this machine's own
// Python, libraries and headers: about 1.6 GB in 50,000 files, made once in a folder
// that all may enter and none but root can change. As root, since it mounts.
//
//   files_bench /srv/files_bench [ROUNDS [drop] [import] [find] [unpack]]     5 rounds; it is kept
//
// On a quiet machine a round takes half a minute; `unpack` needs 6 GB of memory. Making the images,
// 5 GB, takes minutes the first time.
//
// "Cold": a fresh mount, and no page of the image file (of the folder's files) in memory,
// posix_fadvise(2); the folder's inodes stay known to the kernel, which favours it. With "drop"
// the kernel's caches are emptied instead, as after a boot, for the whole machine. "Warm": the same
// three times more. Besides the time by the clock the processor time, with that of the FUSE server:
// it hardly depends on what else the machine does.
// Guess: zstd 1.3 times the folder cold and 1.1 warm, EROFS as the folder, FUSE 1.4 and 1.1;
// unpacking 0.9 times unsquashfs, digest and fingerprint included.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "container/fuse_server.hpp"
#include "container/image_mount.hpp"
#include "container/rootfs.hpp"
#include "container/unpack.hpp"
#include "contest.hpp"
#include "image/digest.hpp"
#include "image/tree_facts.hpp"

namespace {

using namespace berth;
using namespace berth::container;
namespace fs = std::filesystem;

const identity nobody{65534, 65534, {}};

template <class Value>
Value must(result<Value>&& value, const char* what) {
  if (value) return std::move(*value);
  fmt::print(stderr, "files_bench: error: {}: {}\n", what, value.error().text());
  std::exit(1);
}

void must_run(std::vector<std::string> argv) {
  const auto name = argv.front();
  must(run_ok({std::move(argv), current_environment(), {}}), name.c_str());
}

constexpr const char* make_tree =
    "set -e; cd \"$1\"; mkdir root.new; cd root.new; lib=usr/lib/$(uname -m)-linux-gnu; "
    "(cd /; tar -cf - --exclude='*.a' usr/lib/python3* $lib usr/include usr/lib64 "
    "usr/bin/python3* usr/bin/find etc/alternatives etc/ld.so.cache) | tar -xf -; "
    "ln -s usr/lib lib; ln -s usr/lib64 lib64; ln -s usr/bin bin; mkdir proc sys dev tmp; "
    "cd ..; mv root.new root";

void make(const std::string& folder) {
  if (!fs::exists(folder + "/root")) must_run({"sh", "-c", make_tree, "sh", folder});
  const auto root = folder + "/root";
  const auto squash = [&](const char* name, std::vector<std::string> how) {
    if (fs::exists(folder + '/' + name)) return;
    std::vector<std::string> argv{"mksquashfs",   root,        folder + "/new", "-quiet",
                                  "-no-progress", "-noappend", "-all-root",     "-no-xattrs"};
    argv.insert(argv.end(), how.begin(), how.end());
    must_run(std::move(argv));
    fs::rename(folder + "/new", folder + '/' + name);
  };
  squash("zstd.sqsh", {"-comp", "zstd", "-Xcompression-level", "9"});
  squash("lz4.sqsh", {"-comp", "lz4", "-Xhc"});
  if (!fs::exists(folder + "/lz4hc.erofs")) {
    must_run({"mkfs.erofs", "--quiet", "-zlz4hc", folder + "/new", root});
    fs::rename(folder + "/new", folder + "/lz4hc.erofs");
  }
}

enum class way { folder, kernel, fuse };

struct reader {
  std::string name;
  std::string path;
  way how;
  std::string server = {};  // of FUSE
};

struct cost {
  double wall = 0;       // milliseconds
  double processor = 0;  // milliseconds, of the program and of the FUSE server
};

struct visit {
  cost cold;
  std::array<cost, 3> warm;
};

void forget_pages(const std::string& file) {
  const unique_fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (fd) ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
}

void make_cold(const reader& who, bool drop) {
  ::sync();
  if (drop) {
    const unique_fd fd(::open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC));
    must(write_all(fd.get(), "3").map([] { return 0; }), "drop_caches");
    return;
  }
  if (who.how != way::folder) return forget_pages(who.path);
  for (const auto& entry : fs::recursive_directory_iterator(who.path)) {
    if (entry.is_regular_file() && !entry.is_symlink()) forget_pages(entry.path());
  }
}

double processor_ms(int who) {
  rusage used{};
  ::getrusage(who, &used);
  const auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  return ms(used.ru_utime) + ms(used.ru_stime);
}

// Of the process behind a pidfd; its stat file stays open when /proc is no longer there.
class server_clock {
 public:
  explicit server_clock(int pidfd) {
    const auto info = must(read_file(fmt::format("/proc/self/fdinfo/{}", pidfd), 4096), "pidfd");
    const auto rest = trim(info.substr(info.find("Pid:") + 4));
    const auto pid = parse_unsigned(rest.substr(0, rest.find('\n')));
    stat_.reset(
        ::open(fmt::format("/proc/{}/stat", pid.value_or(0)).c_str(), O_RDONLY | O_CLOEXEC));
  }
  server_clock() = default;
  [[nodiscard]] double ms() const {
    if (!stat_) return 0;
    std::string text(1024, '\0');
    const auto n = ::pread(stat_.get(), text.data(), text.size(), 0);
    text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    const auto fields = split(text.substr(text.find(") ") + 2), ' ');
    const auto ticks =
        parse_unsigned(fields.at(11)).value_or(0) + parse_unsigned(fields.at(12)).value_or(0);
    return static_cast<double>(ticks) * 1e3 / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }

 private:
  unique_fd stat_;
};

cost timed(const std::function<void()>& work, const server_clock& server = {}) {
  const auto used = [&] {
    return processor_ms(RUSAGE_SELF) + processor_ms(RUSAGE_CHILDREN) + server.ms();
  };
  const auto before = used();
  const auto begin = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - begin;
  return {spent.count(), used() - before};
}

void run_inside(const std::vector<std::string>& command) {
  const auto pid = ::fork();
  if (pid == 0) {
    std::vector<char*> argv;
    for (const auto& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execv(argv.front(), argv.data());
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (status != 0) {
    fmt::print(stderr, "files_bench: error: \"{}\" failed\n", command.front());
    ::_exit(1);
  }
}

// What a container of Berth is: the image below an overlay; the folder is the bare folder.
server_clock enter(const reader& who) {
  if (who.how == way::folder) {
    if (::chroot(who.path.c_str()) != 0 || ::chdir("/") != 0) ::_exit(1);
    return {};
  }
  const auto image = must(open_image(who.path, "/", {}, nobody), "open");
  server_clock server;
  unique_fd mount;
  if (who.how == way::fuse) {
    auto served = must(mount_fuse(image, nobody, {}, who.server), "FUSE");
    server = server_clock(served.server.get());
    mount = std::move(served.mount);
  } else {
    mount = must(mount_kernel(image), "mount");
  }
  must(leave_mount_namespace().map([] { return 0; }), "namespace");
  must(enter_root(std::move(mount), {{}, 64 << 20, current_identity()}).map([] { return 0; }),
       "root");
  return server;
}

visit read_through(const reader& who, const std::vector<std::string>& command, bool drop) {
  make_cold(who, drop);
  auto* shared =
      ::mmap(nullptr, sizeof(visit), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* seen = new (shared) visit;
  const auto pid = ::fork();
  if (pid == 0) {
    const auto server = enter(who);
    seen->cold = timed([&] { run_inside(command); }, server);
    for (auto& again : seen->warm) again = timed([&] { run_inside(command); }, server);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (status != 0) std::exit(1);
  const auto found = *seen;
  ::munmap(shared, sizeof(visit));
  return found;
}

struct figures {
  std::vector<double> wall;
  std::vector<double> processor;
  void add(const cost& one) {
    wall.push_back(one.wall);
    processor.push_back(one.processor);
  }
};

void print_row(const std::string& name, const figures& of, const figures& base) {
  const auto wall = bench::median(of.wall);
  const auto processor = bench::median(of.processor);
  fmt::print("  {:<30} {:9.0f} ms {:6.2f} x   processor {:9.0f} ms {:6.2f} x\n", name, wall,
             wall / bench::median(base.wall), processor, processor / bench::median(base.processor));
}

void bench_reading(const char* title, const std::vector<reader>& field,
                   const std::vector<std::string>& command, std::size_t rounds, bool drop) {
  std::vector<figures> cold(field.size());
  std::vector<figures> warm(field.size());
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < field.size(); ++i) {
      const auto found = read_through(field[i], command, drop);
      cold[i].add(found.cold);
      for (const auto& again : found.warm) warm[i].add(again);
    }
  }
  fmt::print("{}, against the folder:\n", title);
  for (std::size_t i = 0; i < field.size(); ++i) {
    print_row(field[i].name + ", cold", cold[i], cold.front());
  }
  for (std::size_t i = 0; i < field.size(); ++i) {
    print_row(field[i].name + ", warm", warm[i], warm.front());
  }
}

// In a virtual machine memory that was not used for a while costs more than unpacking: all get such
// as was used just now.
cost timed_alone(const std::function<void()>& work) {
  constexpr std::size_t enough = std::size_t{3} << 30;
  auto* used = ::mmap(nullptr, enough, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (used != MAP_FAILED) ::munmap(used, enough);
  return timed(work);
}

// Into memory: how fast the disk takes it is not the question, and nobody waits for the disk.
void use_memory(const std::string& folder) {
  must(leave_mount_namespace().map([] { return 0; }), "namespace");
  fs::create_directories(folder);
  if (::mount("files_bench", folder.c_str(), "tmpfs", 0, "mode=755,size=8g") != 0) {
    must(result<int>(fail_errno("tmpfs")), "unpacking");
  }
}

double least(const std::vector<double>& of) {
  return *std::min_element(of.begin(), of.end());
}

void bench_unpack(const std::string& image, const std::string& folder, std::size_t rounds) {
  use_memory(folder);
  figures plain;
  figures whole;
  figures again;
  figures digest;
  figures facts;
  const auto plainly = [&] {
    const auto target = folder + "/plain";
    plain.add(timed_alone([&] {
      must_run({"unsquashfs", "-quiet", "-no-progress", "-dest", target, image});
    }));
    fs::remove_all(target);
  };
  const auto into_cache = [&] {
    auto cache = must(image::node_cache::open(folder + "/cache", UINT64_MAX), "cache");
    const auto file = must(open_image(image, "/", {}, nobody), "open");
    whole.add(timed_alone([&] { must(unpack_image(cache, file, nobody), "unpack"); }));
    again.add(timed([&] { must(unpack_image(cache, file, nobody), "unpack"); }));
    const auto tree = must(unpack_image(cache, file, nobody), "unpack");
    digest.add(timed([&] { must(image::sha256_of(file.fd.get()), "sum"); }));
    facts.add(timed([&] { must(image::examine_tree(tree.folder.get()), "facts"); }));
    fs::remove_all(folder + "/cache");
  };
  for (std::size_t round = 0; round < rounds; ++round) {
    round % 2 == 0 ? plainly() : into_cache();
    round % 2 == 0 ? into_cache() : plainly();
  }
  const auto row = [&](const char* name, const figures& of) {
    print_row(name, {{least(of.wall)}, {least(of.processor)}},
              {{least(plain.wall)}, {least(plain.processor)}});
  };
  fmt::print("unpacking zstd squashfs into memory, least of all rounds:\n");
  row("unsquashfs alone, as root", plain);
  row("unpack backend, first time", whole);
  row("  of it: SHA-256 of the image", digest);
  row("  of it: size and fingerprint", facts);
  row("unpack backend, again", again);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: files_bench FOLDER [ROUNDS [drop] [import] [find] [unpack]]\n");
    return 2;
  }
  const std::string folder = fs::absolute(argv[1]).string();
  const auto rounds = argc > 2 ? parse_unsigned(argv[2]).value_or(5) : 5;
  const std::vector<std::string> words(argv + std::min(argc, 3), argv + argc);
  const auto has = [&words](const char* word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  fs::create_directories(folder);
  must(image::node_cache::open(folder + "/cache", UINT64_MAX), "choose a folder of root's");
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  make(folder);
  fmt::print("MB: squashfs zstd {}, lz4hc {}, EROFS lz4hc {}\n",
             fs::file_size(folder + "/zstd.sqsh") / 1000000,
             fs::file_size(folder + "/lz4.sqsh") / 1000000,
             fs::file_size(folder + "/lz4hc.erofs") / 1000000);
  const std::string ours = BERTH_FUSE_SERVER;
  const std::vector<reader> field{{"folder", folder + "/root", way::folder},
                                  {"squashfs zstd", folder + "/zstd.sqsh", way::kernel},
                                  {"squashfs lz4hc", folder + "/lz4.sqsh", way::kernel},
                                  {"EROFS lz4hc", folder + "/lz4hc.erofs", way::kernel},
                                  {"FUSE, squashfs zstd", folder + "/zstd.sqsh", way::fuse, ours},
                                  {"FUSE, squashfs lz4hc", folder + "/lz4.sqsh", way::fuse, ours},
                                  {"  as by /usr/bin/squashfuse_ll", folder + "/zstd.sqsh",
                                   way::fuse, "/usr/bin/squashfuse_ll"}};
  const bool all = !has("import") && !has("find") && !has("unpack");
  if (all || has("import")) {
    bench_reading("import sklearn", field, {"/usr/bin/python3", "-c", "import sklearn"}, rounds,
                  has("drop"));
  }
  if (all || has("find")) {
    bench_reading("find /", field, {"/usr/bin/find", "/", "-name", "absent"}, rounds, has("drop"));
  }
  if (all || has("unpack")) bench_unpack(folder + "/zstd.sqsh", folder + "/memory", rounds);
  return 0;
}
