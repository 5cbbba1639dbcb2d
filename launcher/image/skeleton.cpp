#include "image/skeleton.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

namespace berth::image {
namespace {

namespace fs = std::filesystem;

struct text {
  std::string_view path;
  std::string_view content;
};

// hosts, hostname and resolv.conf are also the places that a container mounts the node's over.
constexpr std::array texts{
    text{"/etc/os-release",
         "NAME=\"Berth image\"\nID=berth\nPRETTY_NAME=\"Berth image of programs and their "
         "libraries\"\n"},
    text{"/etc/nsswitch.conf",
         "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\n"},
    text{"/etc/passwd",
         "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"},
    text{"/etc/group", "root:x:0:\nnogroup:x:65534:\n"},
    text{"/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"},
    text{"/etc/host.conf", "multi on\n"},
    text{"/etc/hostname", ""},
    text{"/etc/resolv.conf", ""},
};

constexpr std::array folders{"/dev", "/etc", "/home", "/mnt",     "/opt",     "/proc",   "/root",
                             "/run", "/srv", "/sys",  "/usr/bin", "/usr/lib", "/var/lib"};

result<void> add_merged_usr(tree& into) {
  for (const auto* name : {"/bin", "/sbin", "/lib", "/lib32", "/lib64"}) {
    std::error_code none;
    const auto target = fs::read_symlink(name, none);
    if (none) continue;
    if (auto done = into.put(name, symlink{target.string()}); !done) return done;
    if (auto done = into.put((fs::path("/") / target).string(), folder{}); !done) return done;
  }
  return {};
}

// Opened by name: the name service modules of glibc before 2.34, and libgcc_s for the end of
// threads.
constexpr std::array opened_by_libc{"libnss_files.so.2", "libnss_dns.so.2", "libgcc_s.so.1"};

}  // namespace

result<void> add_skeleton(tree& into) {
  if (auto done = add_merged_usr(into); !done) return done;
  for (const auto* path : folders) {
    if (auto done = into.put(path, folder{}); !done) return done;
  }
  for (const auto* path : {"/tmp", "/var/tmp", "/dev/shm"}) {
    if (auto done = into.put(path, folder{01777}); !done) return done;
  }
  for (const auto& file : texts) {
    if (auto done = into.put(file.path, text_file{std::string(file.content)}); !done) return done;
  }
  return {};
}

result<void> add_libc_files(tree& into, library_closure& libraries) {
  const auto libc = libraries.found().find("libc.so.6");
  if (libc == libraries.found().end()) return {};
  const auto folder_of_libc = fs::path(libc->second).parent_path();
  std::error_code code;
  for (const auto* name : opened_by_libc) {
    const auto path = folder_of_libc / name;
    if (!fs::exists(path, code)) continue;
    if (auto done = libraries.add(path); !done) return done;
    if (auto done = into.mirror(path.string()); !done) return done;
  }
  constexpr const char* locale = "/usr/lib/locale/C.utf8";
  if (fs::is_directory(locale, code)) {
    if (auto done = into.mirror(locale); !done) return done;
  }
  std::set<std::string> places;
  for (const auto& [name, path] : libraries.found()) {
    if (path.starts_with('/')) places.insert(fs::canonical(fs::path(path).parent_path(), code));
  }
  std::string list;
  if (into.contains(private_library_folder)) list = fmt::format("{}\n", private_library_folder);
  for (const auto& place : places) {
    if (into.contains(place)) list += place + '\n';
  }
  return into.put("/etc/ld.so.conf", text_file{list});
}

}  // namespace berth::image
