#include "image/find.hpp"

#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "image/erofs_reader.hpp"

namespace berth::image {
namespace {

namespace fs = std::filesystem;

using paths = std::vector<std::string>;

constexpr std::size_t most_names = 200'000;

bool matches(std::string_view pattern, const std::string& name) {
  return ::fnmatch(std::string(pattern).c_str(), name.c_str(), FNM_PATHNAME) == 0;
}

// Of the folders of an EROFS image; a folder is known by its inode's number.
struct erofs_tree {
  using place = std::uint64_t;
  struct child {
    std::string name;
    place where;
  };
  const erofs_reader& reader;

  [[nodiscard]] result<std::vector<child>> list(place where) const {
    const auto folder = reader.inode(where);
    if (!folder) return failure(folder.error());
    std::vector<child> children;
    if (!S_ISDIR(folder->mode)) return children;
    auto entries = reader.list(*folder);
    if (!entries) return pass(std::move(entries));
    for (auto& entry : *entries) children.push_back({std::move(entry.name), entry.inode});
    return children;
  }
};

struct host_tree {
  using place = fs::path;
  struct child {
    std::string name;
    place where;
  };

  [[nodiscard]] result<std::vector<child>> list(const place& where) const {
    std::error_code code;
    std::vector<child> children;
    if (!fs::is_directory(fs::symlink_status(where, code))) return children;
    for (fs::directory_iterator entry(where, code), end; !code && entry != end;
         entry.increment(code)) {
      children.push_back({entry->path().filename(), entry->path()});
    }
    return children;
  }
};

template <class Tree>
class walker {
 public:
  walker(const Tree& tree, paths& found) : tree_(tree), found_(found) {}

  result<void> walk(const typename Tree::place& where, const std::string& path,
                    std::span<const std::string> names) {
    const auto children = tree_.list(where);
    if (!children) return failure(children.error());
    for (const auto& child : *children) {
      if (++seen_ > most_names) return fail(fmt::format("has more than {} names", most_names));
      if (!matches(names.front(), child.name)) continue;
      auto below = fmt::format("{}/{}", path, child.name);
      if (names.size() == 1) {
        found_.push_back(std::move(below));
      } else if (auto done = walk(child.where, below, names.subspan(1)); !done) {
        return done;
      }
    }
    return {};
  }

 private:
  const Tree& tree_;
  paths& found_;
  std::size_t seen_ = 0;
};

template <class Tree>
result<paths> find_in(const Tree& tree, const typename Tree::place& root,
                      std::span<const std::string_view> patterns) {
  paths found;
  walker<Tree> all(tree, found);
  for (const auto pattern : patterns) {
    const auto names = split(pattern.substr(1), '/');
    if (auto done = all.walk(root, "", names); !done) return pass(std::move(done));
  }
  return found;
}

// unsquashfs prints the folders above, too.
result<paths> find_in_squashfs(const std::string& path,
                               std::span<const std::string_view> patterns) {
  constexpr std::string_view top = "squashfs-root";
  command listing{{"unsquashfs", "-no-progress", "-l", path}, current_environment(), {}};
  for (const auto pattern : patterns) listing.argv.emplace_back(pattern.substr(1));
  auto printed = run(listing);
  if (!printed) {
    return failure(std::move(printed).error().with_hint("install the package squashfs-tools"));
  }
  paths found;
  for (const auto& line : split(printed->out, '\n')) {
    if (!line.starts_with(top)) continue;
    const auto name = line.substr(top.size());
    if (std::any_of(patterns.begin(), patterns.end(),
                    [&](std::string_view pattern) { return matches(pattern, name); })) {
      found.push_back(name);
    }
  }
  return found;
}

result<paths> search(int fd, const std::string& path, const image_content& content,
                     std::span<const std::string_view> patterns) {
  if (const auto* block = std::get_if<erofs_superblock>(&content)) {
    const erofs_reader reader(fd, *block);
    return find_in(erofs_tree{reader}, reader.root(), patterns);
  }
  if (kind_of(content) == kind::folder) return find_in(host_tree{}, fs::path(path), patterns);
  return find_in_squashfs(path, patterns);
}

}  // namespace

result<std::vector<std::string>> find_files(int fd, const std::string& path,
                                            const image_content& content,
                                            std::span<const std::string_view> patterns) {
  auto found = search(fd, path, content, patterns);
  if (!found) return found;
  std::sort(found->begin(), found->end());
  found->erase(std::unique(found->begin(), found->end()), found->end());
  return found;
}

}  // namespace berth::image
