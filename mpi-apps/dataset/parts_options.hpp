#pragma once
// Options that say which datasets of a file are meant, the same for every verb.

#include "data/dataset.hpp"

namespace CLI {
class App;
}

namespace berth::apps {

/// --features, --target and --weights. `parts` must outlive the parsing.
void add_parts_options(CLI::App& command, dataset_request& parts);

}  // namespace berth::apps
