#pragma once
// What a site decides, as plain typed values. The Lua file that says it is read by lua/binding; the
// privileged side sees only these structs, after `validate`.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace berth::site {

struct image_rules {
  /// Where an image name without a slash is looked for, in order, after the submit directory.
  std::vector<std::string> folders = {"/srv/images"};
  /// Images under these folders are mounted by the kernel, provided that every component of their
  /// path belongs to root and nobody else can write it. All other images go through FUSE.
  std::vector<std::string> trusted = {"/"};
};

/// A bind mount from the node into every container.
struct mount_rule {
  std::string source;  ///< absolute path on the node, opened with the user's rights
  std::string target;  ///< absolute path in the container
  bool read_only = false;
  bool required = true;  ///< false: skipped where the source does not exist
};

/// Which files and folders of the node users may mount into their containers themselves.
struct user_mount_rules {
  std::vector<std::string> allowed = {"/"};  ///< what is in these; none: no mounts of users
  std::vector<std::string> forbidden;        ///< but not in these
};

/// Where the unpack backend keeps the files of images.
struct cache_rules {
  std::string folder = "/var/cache/berth";
  std::uint64_t quota = std::uint64_t{64} << 30;  ///< bytes on disk, all users together
};

/// Copies of images on the nodes' own disks.
struct stage_rules {
  std::string folder = "/tmp";  ///< where users can write, the same on all nodes
  std::uint32_t nodes = 8;      ///< more than these, and a shared file system: copied unasked
};

/// How mounts of images outlive a step, to serve the next one.
struct warm_mount_rules {
  std::uint64_t idle_seconds = 900;  ///< unused for longer: dropped; 0: every step mounts anew
};

struct environment_rules {
  std::map<std::string, std::string> set;  ///< for every task, unless the user has set the name
  std::vector<std::string> unset;          ///< taken from every task
};

enum class workdir_rule {
  submit,  ///< the submit directory where the container shows it, else the image's, else "/"
  image,   ///< the image's WORKDIR, else "/"
};

/// What happens to a task whose pinning fails.
enum class pin_failure { warn, fail };

struct config {
  image_rules images;
  std::vector<mount_rule> mounts;
  user_mount_rules user_mounts;
  cache_rules cache;
  stage_rules stage;
  warm_mount_rules warm_mounts{};
  environment_rules environment;
  std::string pin = "auto";  ///< default of --pin, its words
  /// Other defaults of --pin, by the partition that they are for.
  std::map<std::string, std::string> pin_partitions;
  pin_failure on_pin_failure = pin_failure::warn;
  bool slurm_inside = false;  ///< default of --container-slurm
  workdir_rule workdir = workdir_rule::submit;
  std::uint64_t overlay_size = std::uint64_t{1} << 30;  ///< bytes a container may write, per node
  bool has_admit = false;  ///< the site file defines the policy function admit(job, image)
};

/// The default of --pin for jobs of a partition.
const std::string& default_pin(const config& rules, const std::string& partition);

/// One value that breaks a rule. `key` is written as in the site file: "mounts[2].target".
struct problem {
  std::string key;
  std::string text;
};

/// Every value that breaks a rule, in the order of the struct; empty for a usable configuration.
std::vector<problem> find_problems(const config& rules);

/// Checks every value: absolute paths without "..", legal names of variables, sizes above 1 MiB.
/// The privileged side calls this again on whatever the evaluating child returned.
/// The error names the first broken rule of find_problems.
result<void> validate(const config& rules);

/// Facts that the policy function sees about the job; all strings come from Slurm or the node.
struct job_facts {
  std::uint32_t id = 0;
  std::uint32_t step = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string user;
  std::string account;
  std::string partition;
  std::string node;
  std::uint32_t nodes = 1;
  std::uint32_t tasks_on_node = 1;
};

/// Facts that the policy function sees about the image.
struct image_facts {
  std::string path;         ///< real path on the node
  std::uint64_t size = 0;   ///< bytes
  std::uint32_t owner = 0;  ///< uid of the file's owner
  bool trusted = false;     ///< may be mounted by the kernel
};

struct decision {
  bool admitted = true;
  std::string reason;  ///< shown to the user on refusal
};

}  // namespace berth::site
