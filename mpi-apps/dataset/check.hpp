#pragma once
// dataset check: what is wrong with a dataset, or will read slowly, each with the cure.

#include "data/dataset.hpp"
#include "dataset/check_scan.hpp"
#include "dataset/finding.hpp"

namespace berth::apps {

struct check_request {
  std::string path;
  dataset_request parts;  // which datasets of the file
  std::int64_t memory_bytes = std::int64_t{64} << 20;
};

struct check_report {
  dataset data;
  std::vector<finding> findings;  // errors, then warnings, then notes; on rank 0 only
  read_facts read;                // of this rank
  double seconds = 0;

  [[nodiscard]] std::int64_t count(severity level) const;
};

/// Opens, reads every value once in panels, and judges. Collective, agreed. Errors: what
/// open_dataset() and panel_stream refuse: the file cannot be read as a dataset.
result<check_report> check_dataset(const communicator& comm, const check_request& request);

/// The judgements on values, from facts alone. `import` is the command that writes the dataset
/// anew.
std::vector<finding> judge_values(const dataset& data, const scan_facts& facts,
                                  const std::string& import);
/// Rows that were never written, of each part.
std::vector<finding> judge_unwritten(const dataset& data);

std::string check_text(const check_report& report);
std::string check_json(const check_report& report);

}  // namespace berth::apps
