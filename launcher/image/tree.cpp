#include "image/tree.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/text.hpp"

namespace berth::image {
namespace {

namespace fs = std::filesystem;

constexpr int link_limit = 40;  // as the kernel's MAXSYMLINKS

struct same_node {
  const node& other;
  bool operator()(const folder&) const { return std::holds_alternative<folder>(other); }
  bool operator()(const symlink& s) const {
    const auto* o = std::get_if<symlink>(&other);
    return o != nullptr && o->target == s.target;
  }
  bool operator()(const text_file& t) const {
    const auto* o = std::get_if<text_file>(&other);
    return o != nullptr && o->content == t.content;
  }
  bool operator()(const copied_file& c) const {
    const auto* o = std::get_if<copied_file>(&other);
    return o != nullptr && o->source == c.source;
  }
};

// The components still to walk, the next one last.
std::vector<std::string> reversed_components(std::string_view path) {
  std::vector<std::string> parts;
  for (auto& part : split(path, '/')) {
    if (!part.empty() && part != ".") parts.push_back(std::move(part));
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

// Follows every link of a path. `link_at(prefix)` says where a link leads, nothing for others;
// `last` says whether a link at the very end is followed too. The root is "".
template <class LinkAt>
result<std::string> walk(std::string_view path, bool last, const LinkAt& link_at) {
  std::string where;
  auto rest = reversed_components(path);
  for (int hops = 0; !rest.empty();) {
    const auto part = std::move(rest.back());
    rest.pop_back();
    if (part == "..") {
      where = parent_of(where);
      continue;
    }
    auto next = where + '/' + part;
    const auto target = rest.empty() && !last ? std::nullopt : link_at(next);
    if (!target) {
      where = std::move(next);
      continue;
    }
    if (++hops > link_limit) return fail(fmt::format("\"{}\": too many symbolic links", path));
    if (target->starts_with('/')) where.clear();
    for (auto& piece : reversed_components(*target)) rest.push_back(std::move(piece));
  }
  return where;
}

result<node> copy_of(const std::string& source) {
  struct stat info {};
  if (::stat(source.c_str(), &info) != 0)
    return fail_errno(fmt::format("cannot read \"{}\"", source));
  if (!S_ISREG(info.st_mode)) return fail(fmt::format("\"{}\" is not a regular file", source));
  return copied_file{source, (info.st_mode & 0111) != 0, info.st_mtim.tv_sec,
                     static_cast<std::uint64_t>(info.st_size)};
}

}  // namespace

std::string normal_path(std::string_view path) {
  auto normal = fs::absolute(path).lexically_normal().string();
  if (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

result<std::string> tree::resolve_parents(std::string_view path) const {
  return walk(path, false, [this](const std::string& prefix) -> std::optional<std::string> {
    const auto found = nodes_.find(prefix);
    if (found == nodes_.end()) return std::nullopt;
    const auto* link = std::get_if<symlink>(&found->second);
    return link == nullptr ? std::nullopt : std::optional(link->target);
  });
}

bool tree::contains(std::string_view path) const {
  const auto where = resolve_parents(path);
  return where && nodes_.contains(*where);
}

result<void> tree::put(std::string_view path, node what) {
  auto where = resolve_parents(path);
  if (!where) return pass(std::move(where));
  for (auto slash = where->find('/', 1); slash != std::string::npos;
       slash = where->find('/', slash + 1)) {
    const auto [parent, added] = nodes_.try_emplace(where->substr(0, slash), folder{});
    if (!added && !std::holds_alternative<folder>(parent->second)) {
      return fail(
          fmt::format("\"{}\" cannot be both a file and a folder of the image", parent->first));
    }
  }
  if (where->empty()) return {};
  const auto [at, added] = nodes_.try_emplace(*where, what);
  if (added || std::visit(same_node{what}, at->second)) return {};
  return fail(fmt::format("two different files want the path \"{}\" of the image", *where));
}

result<void> tree::copy(const std::string& source, std::string_view target) {
  auto file = copy_of(source);
  if (!file) return pass(std::move(file));
  return put(target, std::move(*file));
}

result<void> tree::mirror(std::string_view path) {
  std::vector<std::pair<std::string, std::string>> links;
  auto real = walk(path, true, [&](const std::string& prefix) -> std::optional<std::string> {
    std::error_code none;
    const auto target = fs::read_symlink(prefix, none);
    if (none) return std::nullopt;
    links.emplace_back(prefix, target.string());
    return target.string();
  });
  if (!real) return pass(std::move(real));
  for (auto& [prefix, target] : links) {
    if (auto done = put(prefix, symlink{target}); !done) return done;
  }
  std::error_code code;
  if (!fs::is_directory(*real, code)) return copy(*real, *real);
  if (auto done = put(*real, folder{}); !done) return done;
  for (fs::directory_iterator entry(*real, code), end; !code && entry != end;
       entry.increment(code)) {
    if (auto done = mirror(entry->path().string()); !done) return done;
  }
  if (code) return failure(error(fmt::format("cannot read folder \"{}\"", *real), code));
  return {};
}

}  // namespace berth::image
