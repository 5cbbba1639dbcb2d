#include "cli/run_named.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <ctime>

namespace berth::cli {
namespace {

using container::name_use;

std::string context(const std::string& name) {
  return fmt::format("container \"{}\"", name);
}

// Not of the inode: an image that was put back from a copy is the same.
result<std::string> fingerprint_of(const container::image_file& image) {
  struct stat info {};
  if (::fstat(image.fd.get(), &info) != 0) return fail_errno("cannot look at the image");
  return fmt::format("{:x}-{:x}.{:x}", image.size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

failure missing(const std::string& name) {
  return fail(
      fmt::format("container \"{0}\": there is none; make it: berth run "
                  "--container-name={0} IMAGE -- COMMAND",
                  name));
}

result<std::optional<layer_record>> record_of(const named_layer& layer, const std::string& name) {
  auto there = layer.record();
  if (there) return there;
  return failure(std::move(there)
                     .error()
                     .with_context(context(name))
                     .with_hint(fmt::format("remove the container: berth rm {}", name)));
}

}  // namespace

result<std::string> run_named::image_of(const std::string& name) {
  const auto folder = named_folder();
  if (!folder) return failure(folder.error());
  const auto layer = named_layer::look(*folder, name);
  if (!layer) return failure(error(layer.error()).with_context(context(name)));
  if (!*layer) return missing(name);
  auto there = record_of(**layer, name);
  if (!there) return pass(std::move(there));
  return *there ? result<std::string>(std::move((*there)->image)) : missing(name);
}

result<std::optional<run_named>> run_named::take(const container::container_name& name,
                                                 std::string& image) {
  if (name.text.empty()) return std::optional<run_named>{};
  const auto folder = named_folder();
  if (!folder) return failure(folder.error());
  const bool may_make = name.use != name_use::existing && !image.empty();
  auto layer = named_layer::lock(*folder, name.text, may_make);
  if (!layer) return pass(std::move(layer), context(name.text));
  if (!*layer) return missing(name.text);
  auto there = record_of(**layer, name.text);
  if (!there) return pass(std::move(there));
  if (!*there && !may_make) return missing(name.text);
  if (*there && name.use == name_use::create) {
    return fail(
        fmt::format("container \"{0}\" exists; leave out \":create\", choose another name, "
                    "or remove it: berth rm {0}",
                    name.text));
  }
  if (image.empty()) image = (*there)->image;
  return std::optional(run_named(std::move(**layer), name.text, std::move(*there)));
}

run_named::~run_named() {
  if (layer_ && !there_) static_cast<void>(layer_->remove());
}

result<void> run_named::check(const container::image_file& image) {
  auto fingerprint = fingerprint_of(image);
  if (!fingerprint) return pass(std::move(fingerprint));
  wanted_ = {image.path, std::move(*fingerprint), static_cast<std::uint64_t>(::time(nullptr))};
  if (!there_) return {};
  if (there_->image != wanted_.image) {
    return fail(
        fmt::format("container \"{0}\" is made of image \"{1}\", not \"{2}\"; leave the "
                    "image out, choose another name, or remove it: berth rm {0}",
                    name_, there_->image, wanted_.image));
  }
  if (there_->fingerprint == wanted_.fingerprint) return {};
  return fail(
      fmt::format("container \"{0}\": its image \"{1}\" has changed since it was made; put "
                  "the old image back, choose another name, or remove it: berth rm {0}",
                  name_, there_->image));
}

result<container::disk_layer> run_named::open() {
  if (!there_) {
    if (auto begun = layer_->begin(wanted_); !begun) {
      return pass(std::move(begun), context(name_));
    }
  }
  auto mount = layer_->mount();
  if (!mount) return pass(std::move(mount), context(name_));
  mount_ = std::move(*mount);
  return container::disk_layer{mount_.get(), there_.has_value(),
                               fmt::format("\"{}\" is to carry the layer of container \"{}\"; {}",
                                           layer_->path(), name_, other_state_home)};
}

result<void> run_named::stay() {
  there_ = wanted_;
  return layer_->leave_locked();
}

}  // namespace berth::cli
