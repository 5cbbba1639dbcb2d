#include "container/backend.hpp"

#include <fmt/format.h>

namespace berth::container {
namespace {

constexpr const char* option = "--container-backend";

// Where the user is root, files of the image that are root's must be his. The kernel shows them so
// through a map, which names no owner for an id that it lacks; unpacked files are all the user's.
result<chosen_backend> choose_remapped(backend_choice wanted, const backend_facts& image) {
  if (wanted == backend_choice::fuse) {
    return fail(
        "with --container-remap-root it cannot be served through FUSE, which knows one owner of a "
        "file; leave --container-backend out");
  }
  const bool mapped = image.trusted && image.several_ids;
  if (mapped) {
    return chosen_backend{
        backend::kernel,
        "the image is trusted, and the user has ids in /etc/subuid and /etc/subgid"};
  }
  if (wanted == backend_choice::any) {
    return chosen_backend{backend::unpack, "--container-remap-root: the user's own files"};
  }
  return fail(
      "--container-backend=kernel with --container-remap-root needs ranges of ids for the user in "
      "/etc/subuid and /etc/subgid of the node; leave the backend out");
}

failure refuse_kernel(const backend_facts& image) {
  if (!image.step) {
    return fail(fmt::format("{}=kernel needs root, which berth run does without", option));
  }
  return fail(
      fmt::format("{}=kernel is for images that root alone can change, in the site's trusted "
                  "folders; leave the option out",
                  option));
}

result<chosen_backend> ask_fuse(const backend_facts& image) {
  if (image.kind == image::kind::squashfs) return chosen_backend{backend::fuse, option};
  return fail(fmt::format(
      "{}=fuse is for squashfs images, and this one is EROFS; leave the option out, and {}", option,
      image.trusted ? "the kernel mounts it" : "it is unpacked"));
}

std::string why_distrusted(const backend_facts& image) {
  if (!image.step) return "berth run has no privilege";
  return image.distrust.empty() ? "the image is not trusted" : image.distrust;
}

chosen_backend choose_freely(const backend_facts& image) {
  if (image.step && image.trusted) {
    return {backend::kernel, "root alone can change the image, in a trusted folder of the site"};
  }
  if (image.kind == image::kind::squashfs) return {backend::fuse, why_distrusted(image)};
  return {
      backend::unpack,
      fmt::format("no FUSE server reads EROFS, and the kernel may not: {}", why_distrusted(image)),
      true};
}

}  // namespace

std::string_view name_of(backend way) {
  switch (way) {
    case backend::kernel:
      return "kernel";
    case backend::fuse:
      return "fuse";
    case backend::unpack:
      return "unpack";
    case backend::folder:
      break;
  }
  return "folder";
}

result<chosen_backend> choose_backend(backend_choice wanted, const backend_facts& image) {
  if (image.kind == image::kind::folder) {
    return chosen_backend{backend::folder, "it is unpacked"};
  }
  if (wanted == backend_choice::unpack) return chosen_backend{backend::unpack, option};
  const bool kernel = wanted == backend_choice::kernel;
  if (kernel && !(image.step && image.trusted)) return refuse_kernel(image);
  if (image.remap_root && (image.step || wanted == backend_choice::any)) {
    return choose_remapped(wanted, image);
  }
  if (kernel) return chosen_backend{backend::kernel, option};
  return wanted == backend_choice::fuse ? ask_fuse(image) : choose_freely(image);
}

bool falls_back_to_fuse(backend_choice wanted, const backend_facts& image, const error& reason) {
  const bool damaged =
      reason.code() == std::errc::invalid_argument || reason.code() == std::errc::io_error;
  return wanted == backend_choice::any && !image.remap_root &&
         image.kind == image::kind::squashfs && !damaged;
}

failure explain_failed_unpack(const chosen_backend& chosen, error why) {
  if (!chosen.for_erofs) return failure(std::move(why));
  return failure(std::move(why)
                     .with_context("an EROFS image that is not trusted must be unpacked")
                     .with_hint("or make a squashfs image of it, which FUSE reads: berth convert "
                                "IMAGE NEW.sqsh"));
}

}  // namespace berth::container
