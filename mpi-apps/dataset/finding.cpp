#include "dataset/finding.hpp"

namespace berth::apps {

const char* severity_name(severity level) noexcept {
  switch (level) {
    case severity::error:
      return "error";
    case severity::warning:
      return "warning";
    case severity::note:
      return "note";
  }
  return "note";
}

}  // namespace berth::apps
