#include "cli/cache_folder.hpp"

#include <unistd.h>

#include <cstdlib>

namespace berth::cli {

std::string default_cache_folder() {
  if (::geteuid() == 0) return "/var/cache/berth";
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/') {
    return std::string(cache) + "/berth";
  }
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "/tmp" : home) + "/.cache/berth";
}

}  // namespace berth::cli
