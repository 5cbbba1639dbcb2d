#include "container/staged.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"
#include "image/kind.hpp"

namespace berth::container {
namespace {

constexpr std::size_t digest_length = 64;

bool is_digest(std::string_view text) {
  return text.size() == digest_length && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

std::string staged_prefix(std::uint32_t job) {
  return fmt::format("berth-staged-{}-", job);
}

std::optional<std::uint32_t> job_of_staged(std::string_view name) {
  constexpr std::string_view begin = "berth-staged-";
  if (!name.starts_with(begin)) return std::nullopt;
  name.remove_prefix(begin.size());
  const auto end = name.find('-');
  if (end == std::string_view::npos) return std::nullopt;
  const auto job = parse_unsigned(name.substr(0, end));
  return job && *job <= UINT32_MAX ? std::optional(static_cast<std::uint32_t>(*job)) : std::nullopt;
}

std::string format_staged(const staged_copy& copy) {
  return fmt::format("{} {}", copy.digest, copy.path);
}

result<staged_copy> parse_staged(std::string_view text) {
  const auto digest = text.substr(0, text.find(' '));
  if (!is_digest(digest) || text.size() <= digest_length + 1) {
    return fail("what srun says of the staged copy is damaged");
  }
  return staged_copy{std::string(text.substr(digest_length + 1)), std::string(digest)};
}

result<bool> should_stage(const stage_facts& facts, const site::config& rules) {
  if (facts.choice == stage_choice::never) return false;
  const bool allowed = !rules.has_admit || (facts.own && !facts.trusted);
  if (facts.choice == stage_choice::any) {
    return allowed && facts.shared && !facts.trusted && facts.nodes > rules.stage.nodes;
  }
  if (allowed) return true;
  return fail(
      "--container-stage=always: the site decides by image, so only your own images can "
      "be staged; leave the option out");
}

result<image_file> open_staged(const staged_copy& copy, const image_file& original,
                               const site::config& rules, std::uint32_t job, const identity& user) {
  const auto name = staged_prefix(job) + copy.digest.substr(0, 16);
  if (copy.path != std::filesystem::path(rules.stage.folder) / name) {
    return fail(
        fmt::format("the staged copy \"{}\" is not \"{}/{}\": is stage.folder the same on "
                    "all nodes?",
                    copy.path, rules.stage.folder, name));
  }
  if (rules.has_admit && original.owner != user.uid) {
    return fail(
        "is not the user's own, and the site decides by image: leave out "
        "--container-stage");
  }
  auto file = open_image(copy.path, "/", {}, user);
  if (!file) return pass(std::move(file), "staged copy");
  struct stat info {};
  if (::fstat(file->fd.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != user.uid) {
    return fail(fmt::format("the staged copy \"{}\" is not the user's", copy.path));
  }
  file->path = original.path;
  return file;
}

result<std::string> stamp_of(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return fail_errno("cannot examine");
  return fmt::format("{}:{}:{}:{}.{}:{}.{}\n", info.st_dev, info.st_ino, info.st_size,
                     info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ctim.tv_sec,
                     info.st_ctim.tv_nsec);
}

}  // namespace berth::container
