#pragma once
// What the data doctor says.

#include <cstdint>
#include <string>
#include <vector>

namespace berth::apps {

/// error: results would be wrong or refused. warning: probably not meant. note: good to know.
enum class severity { error, warning, note };

struct finding {
  severity level = severity::note;
  std::string id;                         // "missing-values": stable, for scripts
  std::string text;                       // one sentence without a full stop
  std::string cure;                       // a command or an instruction; empty where there is none
  std::vector<std::string> columns = {};  // concerned, at most a few
  std::vector<std::int64_t> rows = {};    // first of them, from 1
};

/// "error", "warning", "note"
const char* severity_name(severity level) noexcept;

}  // namespace berth::apps
