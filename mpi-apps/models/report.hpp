#pragma once
// A fitted model as text in the manner of R's summary(), and as JSON.

#include <string>
#include <vector>

#include "common/phases.hpp"
#include "common/placement.hpp"
#include "models/model.hpp"
#include "roofline/speed.hpp"

namespace berth::apps {

/// What a run of train did, for the report. Placements and how the data were read may be empty.
struct run_facts {
  std::string model_path;  // empty when no model was written
  std::vector<phase> phases;
  std::vector<placement> placements;
  std::string read = {};  // how the data were read; empty unless wanted
  speed_facts speed = {};
};

/// Several lines, each ended.
std::string report_text(const model& fitted, const run_facts& run);

/// One JSON object on one line, ended. NaN becomes null.
std::string report_json(const model& fitted, const run_facts& run);

/// "rank 0 on node1, CPUs 0-1", one line per rank, each ended.
std::string placements_text(const std::vector<placement>& placements);

}  // namespace berth::apps
