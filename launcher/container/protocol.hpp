#pragma once
// What the Slurm plugin asks the node helper, once per node and step, and what it gets back. Both
// sides check what they read: the request repeats a user's words, the reply an image's.

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "container/container_options.hpp"
#include "container/identity.hpp"
#include "container/slurm_inside.hpp"
#include "container/timing.hpp"
#include "site/config.hpp"

namespace berth::container {

struct node_request {
  identity user;
  site::job_facts job;
  std::string site_file;   ///< from plugstack.conf; empty: the default
  std::string image;       ///< as the user wrote it; empty: no container, only pinning
  std::string submit_dir;  ///< the step's working directory on this node
  std::string pmix_dir;    ///< where Slurm's PMIx server keeps this step's files; may not exist
  choices options;         ///< what else the user chose, see container_options.hpp
  std::string staged;      ///< of format_staged: the job's copy of the image; or empty
  slurm_place slurm;       ///< where slurmstepd has it
  std::string partition;   ///< as the job's environment tells it: picks defaults, decides nothing
  bool wants_topology = false;
  std::vector<std::string> variables{};  ///< "NAME=value", of those that a reply asked for
};

struct node_reply {
  std::string error;  ///< one sentence; empty on success. All else is then meaningless.
  /// The site's policy wants the job's account and partition: the same request again, with them.
  bool asks_for_job = false;
  /// The image's /etc/fstab names these variables: the same request again, with their values.
  std::vector<std::string> asks_for_variables{};
  /// The image has to be unpacked, which takes longer than all else: the reply follows.
  bool unpacks = false;
  std::string image;    ///< real path of the image; empty without a container
  std::string backend;  ///< "kernel", "fuse" or "unpack"
  std::string notice;   ///< what is not as it should be and yet works, for the node's log
  std::vector<std::string> warnings{};  ///< likewise, for the user: what of the image is ignored
  std::string workdir;                  ///< where tasks start, in the container
  std::vector<std::string> image_environment;  ///< "NAME=value"
  std::vector<std::string> templates;  ///< likewise, with "${NAME}" to be replaced by the task's
  bool remaps_root = false;   ///< one more message follows, with the user namespace to join
  bool pretends_ids = false;  ///< in which the user is alone, see pretend_ids()
  std::vector<std::string> entrypoint;  ///< the image's, where the user wants it
  site::environment_rules site_environment;
  std::string slurm_conf;  ///< the container has the node's Slurm, of this slurm.conf; or empty
  std::string site_pin;    ///< default of --pin in the job's partition
  bool pin_failure_is_fatal = false;
  std::string topology;      ///< topology::encode of this machine, when it was wanted
  std::string topology_xml;  ///< file with the same for hwloc, also in the container; may be empty
  std::vector<timing> timings;
};

std::string encode(const node_request& request);
result<node_request> decode_request(std::string_view bytes);
std::string encode(const node_reply& reply);
result<node_reply> decode_reply(std::string_view bytes);

}  // namespace berth::container
