#pragma once
#include <cstdint>
#include <string>

namespace berth::cli {

/// Bytes for people, in powers of ten as `docker images` prints them: 41234567 -> "41 MB",
/// 1500 -> "1.5 kB".
std::string size_text(std::uint64_t bytes);

}  // namespace berth::cli
