#pragma once
// What `berth doctor` looks at. Each function returns findings about one part of a node and changes
// nothing there.

#include <string>
#include <vector>

namespace berth::cli {

enum class verdict {
  ok,
  note,     ///< works, though not as well as it could; or only a convenience is missing
  unknown,  ///< this user cannot find out
  wrong,    ///< containers of steps fail, or are not what they seem
};

struct finding {
  std::string name;  ///< one or two words: "squashfs", "plugin version"
  verdict result = verdict::ok;
  std::string found;
  std::string cure;  ///< empty for ok
};

struct doctor_paths {
  std::string slurm_conf;
  std::string site_file;
  std::string cache;
  std::string topology = "/run/berth";
};

std::vector<finding> examine_kernel();
std::vector<finding> examine_programs();
std::vector<finding> examine_slurm(const doctor_paths& where);
std::vector<finding> examine_node(const doctor_paths& where);

}  // namespace berth::cli
