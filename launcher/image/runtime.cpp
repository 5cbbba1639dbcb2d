#include "image/runtime.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "base/file.hpp"

namespace berth::image {
namespace {

namespace fs = std::filesystem;

enum class kind { plugin, data };

// Files that the library named `library` opens, relative to one of its folders. Patterns are as in
// a shell; "*" in `folder` stands for one folder.
struct opened {
  std::string_view library;
  std::string_view folder;
  std::string_view files;
  kind what;
};

// In the order in which one draws in the next: Open MPI, PMIx, then the networks.
constexpr std::array table{
    opened{"libmpi.so", "openmpi*", "mca_*.so", kind::plugin},
    opened{"libmpi.so", ".", "libmca_common_*.so.*", kind::data},
    opened{"libopen-pal.so", "openmpi*", "mca_*.so", kind::plugin},
    opened{"libopen-pal.so", ".", "openmpi-mca-params.conf", kind::data},
    opened{"libopen-pal.so", ".", "openmpi-default-hostfile", kind::data},
    opened{"libopen-pal.so", "share/openmpi", "help-*.txt", kind::data},
    opened{"libopen-pal.so", "share/openmpi/amca-param-sets", "*", kind::data},
    opened{"libpmix.so", "pmix", "*mca_*.so", kind::plugin},
    opened{"libpmix.so", ".", "pmix-mca-params.conf", kind::data},
    opened{"libpmix.so", "share/pmix", "help-*.txt", kind::data},
    opened{"libucs.so", ".", "libuc[tm]_*.so.0", kind::plugin},
    opened{"libucs.so", "ucx", "libuc[tm]_*.so.0", kind::plugin},
    opened{"libucs.so", ".", "ucx.conf", kind::data},
    opened{"libfabric.so", ".", "lib*-fi.so", kind::plugin},
    opened{"libibverbs.so", "libibverbs", "lib*-rdmav*.so", kind::plugin},
    opened{"libibverbs.so", ".", "*.driver", kind::data},
    // Its other plugins look at GPUs and X servers, and XML through a library of 30 MB; without
    // them hwloc reads XML by itself.
    opened{"libhwloc.so", ".", "hwloc_pci.so", kind::plugin},
};

bool matches(std::string_view pattern, const std::string& name) {
  return ::fnmatch(std::string(pattern).c_str(), name.c_str(), FNM_PATHNAME) == 0;
}

std::vector<fs::path> sorted_entries(const fs::path& where) {
  std::vector<fs::path> list;
  std::error_code code;
  for (fs::directory_iterator entry(where, code), end; !code && entry != end;
       entry.increment(code)) {
    list.push_back(entry->path());
  }
  std::sort(list.begin(), list.end());
  return list;
}

std::vector<fs::path> folders_of(const fs::path& base, std::string_view relative) {
  if (relative == ".") return {base};
  if (relative.find('*') == std::string_view::npos) return {base / relative};
  auto list = sorted_entries(base);
  std::erase_if(list, [&](const fs::path& p) {
    std::error_code none;
    return !matches(relative, p.filename()) || !fs::is_directory(p, none);
  });
  return list;
}

// The folder of the library itself and those compiled into it.
result<std::set<fs::path>> bases_of(const std::string& library) {
  constexpr std::size_t limit = std::size_t{256} << 20;
  const auto binary = read_file(library, limit);
  if (!binary) return failure(binary.error());
  std::error_code code;
  std::set<fs::path> bases;
  for (const auto& path : embedded_paths(*binary)) {
    fs::path folder = path;
    // rdma-core holds the whole pattern of its plugins' names: "/usr/lib/libibverbs/lib%s-...".
    if (path.find('%') != std::string::npos) folder = folder.parent_path().parent_path();
    if (fs::is_directory(folder, code)) bases.insert(fs::canonical(folder, code));
  }
  bases.insert(fs::canonical(library, code).parent_path());
  return bases;
}

class collector {
 public:
  collector(tree& into, library_closure& libraries) : tree_(into), libraries_(libraries) {}

  result<void> collect(const opened& rule, const std::string& library) {
    const auto bases = bases_of(library);
    if (!bases) return failure(bases.error());
    for (const auto& base : *bases) {
      for (const auto& folder : folders_of(base, rule.folder)) {
        for (const auto& file : sorted_entries(folder)) {
          std::error_code none;
          if (!matches(rule.files, file.filename()) || !fs::is_regular_file(file, none)) continue;
          if (auto done = add(file.string(), rule.what); !done) return done;
        }
      }
    }
    return {};
  }

  [[nodiscard]] std::vector<std::string> left_out() && { return std::move(left_out_); }

 private:
  result<void> add(const std::string& file, kind what) {
    if (!seen_.insert(file).second) return {};
    if (what == kind::plugin) {
      if (auto done = libraries_.add(file); !done) {
        left_out_.push_back(done.error().text());
        return {};
      }
    }
    return tree_.mirror(file);
  }

  tree& tree_;
  library_closure& libraries_;
  std::set<std::string> seen_;
  std::vector<std::string> left_out_;
};

}  // namespace

std::vector<std::string> embedded_paths(std::string_view binary) {
  constexpr std::size_t longest = 4096;
  std::set<std::string> paths;
  // A path begins after the NUL that ends the text before it.
  for (auto at = binary.find(std::string_view("\0/", 2)); at != std::string_view::npos;
       at = binary.find(std::string_view("\0/", 2), at + 1)) {
    const auto end = binary.find('\0', at + 1);
    if (end == std::string_view::npos || end - at > longest) continue;
    const auto path = binary.substr(at + 1, end - at - 1);
    const bool text = std::all_of(path.begin(), path.end(), [](char c) {
      return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f;
    });
    if (text && path.size() > 1) paths.emplace(path);
  }
  return {paths.begin(), paths.end()};
}

result<std::vector<std::string>> add_runtime_files(tree& into, library_closure& libraries) {
  collector all(into, libraries);
  for (const auto& rule : table) {
    const auto& found = libraries.found();
    const auto library = std::find_if(found.begin(), found.end(), [&](const auto& pair) {
      return pair.first.starts_with(rule.library);
    });
    if (library == found.end()) continue;
    const auto path = library->second;
    if (auto done = all.collect(rule, path); !done) return pass(std::move(done));
  }
  return std::move(all).left_out();
}

}  // namespace berth::image
