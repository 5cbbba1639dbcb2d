#pragma once
// Copies of images that a step's nodes have on their own disks: sbcast puts them there as the user,
// so a copy is the user's file whatever the image was, and is only taken for what it is.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "container/container_options.hpp"
#include "container/image_file.hpp"
#include "site/config.hpp"

namespace berth::container {

struct staged_copy {
  std::string path;    ///< on every node of the job
  std::string digest;  ///< SHA-256 of the image, 64 hexadecimal digits

  friend bool operator==(const staged_copy&, const staged_copy&) = default;
};

/// "berth-staged-JOB-": all files of a job's staging begin with it.
std::string staged_prefix(std::uint32_t job);

/// The job of a file with such a name; nothing of other files.
std::optional<std::uint32_t> job_of_staged(std::string_view name);

/// As one text, and back. Error: not such a text.
std::string format_staged(const staged_copy& copy);
result<staged_copy> parse_staged(std::string_view text);

struct stage_facts {
  stage_choice choice = stage_choice::any;
  std::uint32_t nodes = 1;
  bool shared = false;   ///< the image comes over the network
  bool trusted = false;  ///< the kernel would mount it where it is, and read what is needed
  bool own = false;      ///< the user's own file
};

/// Whether to copy. Error: the user wants a copy that the site's policy, which judges files, cannot
/// allow: only what the user may change anyway is the same as a copy of it.
result<bool> should_stage(const stage_facts& facts, const site::config& rules);

/// Opens the job's copy in place of the image, with the user's rights; its name stays the image's.
/// Under a policy the image must be the user's own file. Errors: a path elsewhere than the site's
/// folder, a file that is not there or not the user's. The digest is for the caller to compare.
result<image_file> open_staged(const staged_copy& copy, const image_file& original,
                               const site::config& rules, std::uint32_t job, const identity& user);

/// What changes when anybody writes to the file.
result<std::string> stamp_of(int fd);

}  // namespace berth::container
