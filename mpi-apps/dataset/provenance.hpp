#pragma once
// Where a dataset comes from: the attributes of its file.

#include <string>
#include <utility>
#include <vector>

#include "common/hdf5.hpp"

namespace berth::apps {

/// Name and value, as text, of the file's own attributes that are short: texts and numbers.
using provenance = std::vector<std::pair<std::string, std::string>>;

/// On this process alone, in the order of their names.
result<provenance> read_provenance(const std::string& path);

}  // namespace berth::apps
