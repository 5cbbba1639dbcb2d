#include "cli/named.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/xattr.h>

#include "container/wire.hpp"

namespace berth::cli {
namespace {

using namespace berth::container;

constexpr const char* attribute = "trusted.berth";
constexpr std::size_t longest_facts = 65536;

// A detached mount is held by a descriptor that extended attributes do not take.
std::string path_of(const unique_fd& root) {
  return fmt::format("/proc/self/fd/{}", root.get());
}

result<void> write_facts(const unique_fd& root, const named_facts& facts) {
  wire_writer out;
  for (const auto& text : {facts.identity, facts.image, facts.backend, facts.ids}) out.text(text);
  const auto bytes = out.take();
  if (::setxattr(path_of(root).c_str(), attribute, bytes.data(), bytes.size(), 0) == 0) return {};
  return fail_errno("cannot say on the container what it is made of");
}

result<named_facts> read_facts(const unique_fd& root) {
  std::string bytes(longest_facts, '\0');
  const auto size = ::getxattr(path_of(root).c_str(), attribute, bytes.data(), bytes.size());
  if (size < 0) return fail_errno("cannot read of the container what it is made of");
  wire_reader in(std::string_view(bytes).substr(0, static_cast<std::size_t>(size)));
  named_facts facts;
  for (auto* text : {&facts.identity, &facts.image, &facts.backend, &facts.ids}) *text = in.text();
  if (auto whole = in.finish(); !whole) return pass(std::move(whole));
  return facts;
}

failure there_already(const container_name& name) {
  return fail(fmt::format(
      "container \"{}\": an earlier step of this job has made it; leave out \":create\", "
      "or choose another name",
      name.text));
}

}  // namespace

kept_key named_key(const std::string& name, std::uint32_t job, uid_t uid) {
  return {fmt::format("named.{}", name), job, uid};
}

result<std::optional<named_root>> find_named(const kept_mounts& kept, const kept_key& key) {
  auto found = kept.find(key);
  if (!found) return pass(std::move(found));
  if (!*found) return std::optional<named_root>{};
  auto facts = read_facts((*found)->mount);
  if (!facts) return pass(std::move(facts));
  return std::optional(
      named_root{std::move((*found)->mount), std::move((*found)->server), std::move(*facts)});
}

result<void> check_named(const std::string& name, const named_facts& there,
                         const named_facts& wanted) {
  if (!wanted.identity.empty() && wanted.identity != there.identity) {
    return fail(
        fmt::format("container \"{}\" of this job is made of image \"{}\"{}; leave the image "
                    "out, or choose another name",
                    name, there.image,
                    wanted.image == there.image ? " as it was before it changed"
                                                : fmt::format(", not \"{}\"", wanted.image)));
  }
  if (wanted.ids == there.ids) return {};
  return fail(
      fmt::format("container \"{}\" of this job was made {} --container-remap-root; say the "
                  "same for each step, or choose another name",
                  name, there.ids.empty() ? "without" : "with"));
}

result<unique_fd> keep_named(const kept_mounts& kept, const container_name& name,
                             const kept_key& key, const named_facts& facts, int server,
                             const std::function<result<unique_fd>()>& make) {
  auto taken = kept.take(key, kept_until::job_ends, [&]() -> result<made_mount> {
    auto root = make();
    if (!root) return pass(std::move(root));
    if (auto told = write_facts(*root, facts); !told) return pass(std::move(told));
    return made_mount{
        std::move(*root), unique_fd(server < 0 ? -1 : ::fcntl(server, F_DUPFD_CLOEXEC, 0)), {}};
  });
  if (!taken) return pass(std::move(taken), fmt::format("container \"{}\"", name.text));
  if (taken->fresh) return std::move(taken->mount);
  if (name.use == name_use::create) return there_already(name);
  const auto there = read_facts(taken->mount);
  if (!there) return failure(there.error());
  if (auto same = check_named(name.text, *there, facts); !same) return pass(std::move(same));
  return std::move(taken->mount);
}

named_facts wanted_facts(const id_map& ids, const image_file* image) {
  named_facts facts;
  facts.ids = ids.uids + ids.gids;
  if (image == nullptr) return facts;
  facts.image = image->path;
  facts.identity = identity_of(image->fd.get()).value_or("unknown");
  return facts;
}

root_keeper keeper_for(const node_request& request, const container_options& options,
                       const std::optional<kept_mounts>& kept, named_facts facts, int server) {
  if (!kept) return {};
  return [&request, &options, &kept, facts = std::move(facts),
          server](const std::function<result<unique_fd>()>& make) {
    return keep_named(*kept, options.name,
                      named_key(options.name.text, request.job.id, request.user.uid), facts, server,
                      make);
  };
}

result<std::optional<kept_mounts>> open_kept(const node_request& request,
                                             const container_options& options) {
  if (options.name.text.empty()) {
    if (request.image == existing_image) return fail("no image is given");
    return std::optional<kept_mounts>{};
  }
  auto kept = kept_mounts::open_or_create();
  if (!kept) return pass(std::move(kept), "--container-name");
  return std::optional(std::move(*kept));
}

result<std::optional<named_root>> look_for_named(const node_request& request,
                                                 const container_options& options,
                                                 const std::optional<kept_mounts>& kept) {
  if (!kept) return std::optional<named_root>{};
  const auto& [name, use] = options.name;
  auto found = find_named(*kept, named_key(name, request.job.id, request.user.uid));
  if (!found) return found;
  if (*found) return use == name_use::create ? there_already(options.name) : std::move(found);
  if (use != name_use::existing && request.image != existing_image) return found;
  return fail(fmt::format("container \"{}\": no step of this job has made it on this node; {}",
                          name,
                          use == name_use::existing ? "make it by a step without \":exec\""
                                                    : "add --container-image=IMAGE"));
}

}  // namespace berth::cli
