#pragma once
#include <string>

namespace berth::cli {

/// Root's is the node's; other users have one each, for `berth run`.
std::string default_cache_folder();

}  // namespace berth::cli
