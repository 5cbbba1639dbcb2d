#include "container/image_fstab.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.hpp"

namespace berth::container {
namespace {

// Where the root is while enroot mounts.
constexpr std::string_view own_root = "${ENROOT_ROOTFS}";

// What says nothing about a mount in a container, and the mode of a tmpfs, which is everybody's.
constexpr std::array<std::string_view, 24> meaningless{
    "auto", "defaults", "group",      "nogroup",     "owner",    "noowner",
    "user", "nouser",   "users",      "nousers",     "nofail",   "silent",
    "loud", "async",    "sync",       "atime",       "noatime",  "diratime",
    "exec", "relatime", "norelatime", "strictatime", "lazytime", "nodiratime"};

bool says_nothing(const std::string& option) {
  return option.starts_with("mode=") ||
         std::find(meaningless.begin(), meaningless.end(), option) != meaningless.end();
}

bool holds(const std::vector<std::string>& options, std::string_view option) {
  return std::find(options.begin(), options.end(), option) != options.end();
}

// As everywhere in enroot's file, from the root of the container.
std::string normal_target(const std::string& text) {
  auto path = text.starts_with('/') ? text : fmt::format("/{}", text);
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

result<std::vector<std::string>> flags_of(const image::fstab_line& line, mount_kind kind) {
  for (const auto* impossible : {"x-move", "x-detach", "remount"}) {
    if (holds(line.options, impossible)) {
      return fail(
          fmt::format("asks for \"{}\", but berth neither moves nor changes nor takes away "
                      "mounts",
                      impossible));
    }
  }
  const bool recursive = holds(line.options, "rbind");
  if (kind == mount_kind::bind && !recursive && !holds(line.options, "bind")) {
    return fail("asks for neither \"bind\" nor \"rbind\"");
  }
  std::vector<std::string> flags;
  for (const auto& option : line.options) {
    if (!says_nothing(option) && !(recursive && option == "bind")) flags.push_back(option);
  }
  return flags;
}

// The volume of an image: a folder of its own, which lies where it is wanted.
result<fstab_mount> make_folder(const image::fstab_line& line, const std::string& target,
                                const std::string& folder) {
  const auto source = normal_target(line.source.substr(own_root.size()));
  if (source != target) {
    return fail(
        fmt::format("asks for the container's \"{}\" on \"{}\"; berth shows no folder of a "
                    "container twice",
                    printable(source), printable(target)));
  }
  auto made = make_mount(mount_kind::folder, {}, target, {}, folder);
  if (!made) return pass(std::move(made));
  return fstab_mount{std::move(*made), false};
}

result<fstab_mount> mount_of(const image::fstab_line& line, const std::string& target,
                             const std::string& folder, const image::value_lookup& value_of) {
  if (line.type != "none" && line.type != "tmpfs") {
    return fail(
        fmt::format("asks for a file system of type \"{}\"; only binds and tmpfs can be "
                    "mounted",
                    printable(line.type)));
  }
  if (line.source.starts_with(own_root)) return make_folder(line, target, folder);
  const auto kind = line.type == "tmpfs" ? mount_kind::tmpfs : mount_kind::bind;
  const auto flags = flags_of(line, kind);
  if (!flags) return failure(flags.error());
  const auto source = image::expand_references(line.source, value_of);
  if (source.empty()) {
    return fail(
        fmt::format("its source {} is empty here: set the variable", printable(line.source)));
  }
  auto mount = make_mount(kind, source, target, image::expand_references(*flags, value_of), folder);
  if (!mount) return fail(printable(mount.error().text()));
  return fstab_mount{std::move(*mount), !holds(line.options, "nofail")};
}

}  // namespace

std::string way_out(const std::string& target) {
  return fmt::format("--container-mounts=tmpfs:{} starts without it", target);
}

result<std::vector<fstab_mount>> fstab_mounts(const std::vector<image::fstab_line>& lines,
                                              const std::string& folder,
                                              const image::value_lookup& value_of,
                                              const std::vector<mount_request>& user) {
  std::vector<fstab_mount> mounts;
  for (const auto& line : lines) {
    const auto target = normal_target(image::expand_references(line.target, value_of));
    const bool replaced = std::any_of(user.begin(), user.end(), [&](const mount_request& other) {
      return other.target == target;
    });
    if (replaced) continue;
    auto mount = mount_of(line, target, folder, value_of);
    if (!mount) {
      auto refused = std::move(mount).error().with_context(fmt::format("line {}", line.number));
      if (!make_mount(mount_kind::tmpfs, {}, target, {}, folder)) return failure(refused);
      return failure(std::move(refused).with_hint(way_out(target)));
    }
    std::erase_if(mounts, [&](const fstab_mount& earlier) {
      return earlier.mount.target == mount->mount.target;
    });
    mounts.push_back(std::move(*mount));
  }
  return mounts;
}

}  // namespace berth::container
