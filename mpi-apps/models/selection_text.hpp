#pragma once
// How a fit was chosen, as text and as JSON.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "models/model.hpp"

namespace berth::apps {

/// Several lines, each ended.
std::string selection_text(const selection_facts& facts);

/// Coefficients of the path have the names of `fitted`; zeros are left out.
nlohmann::ordered_json selection_json(const selection_facts& facts, const target_fit& fitted);

}  // namespace berth::apps
