#pragma once
#include <cstdint>
#include <string>

namespace berth::cli {

/// A span of time as docker puts it: "5 minutes"; a negative one is "0 seconds".
std::string age_text(std::int64_t seconds);

}  // namespace berth::cli
