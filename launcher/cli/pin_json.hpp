#pragma once
#include <span>
#include <string>
#include <string_view>

#include "pinning/explain.hpp"

namespace berth::cli {

/// A plan as JSON, for `berth pin --json`; berth-pin(1) describes it.
/// @param tasks the local task ids to print
std::string plan_json(const pinning::planned& step, std::string_view machine,
                      std::span<const int> tasks);

}  // namespace berth::cli
