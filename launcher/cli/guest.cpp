#include "cli/guest.hpp"

#include <unistd.h>

#include <chrono>

#include "base/file.hpp"
#include "container/unprivileged.hpp"
#include "container/wire.hpp"
#include "image/metadata.hpp"

namespace berth::cli {
namespace {

constexpr std::chrono::seconds patience{10};

result<image::image_metadata> read_metadata() {
  const auto text = read_file(std::string(image::metadata_path), image::metadata_size_limit);
  // An image that was not made by berth has none.
  if (!text && text.error().code() == std::errc::no_such_file_or_directory) {
    return image::image_metadata{};
  }
  if (!text) return failure(text.error());
  return image::parse_metadata(*text);
}

result<std::string> look_around(const std::string& submit_dir, site::workdir_rule rule) {
  auto metadata = read_metadata();
  if (!metadata) return pass(std::move(metadata));
  std::vector<std::string> candidates{metadata->workdir, "/"};
  if (rule == site::workdir_rule::submit) candidates.insert(candidates.begin(), submit_dir);
  container::wire_writer out;
  out.texts(metadata->env);
  for (const auto& folder : candidates) {
    if (folder.empty() || ::chdir(folder.c_str()) != 0) continue;
    out.text(folder);
    return out.take();
  }
  return fail("no folder to start in: not even \"/\" can be entered");
}

}  // namespace

result<guest_facts> ask_guest(const container::identity& user, const std::string& submit_dir,
                              site::workdir_rule rule) {
  const auto answer =
      container::run_unprivileged(user, patience, [&] { return look_around(submit_dir, rule); });
  if (!answer) return failure(answer.error());
  container::wire_reader in(*answer);
  guest_facts facts;
  facts.environment = in.texts();
  facts.workdir = in.text();
  if (auto whole = in.finish(); !whole) return pass(std::move(whole));
  return facts;
}

}  // namespace berth::cli
