#include "common/collective.hpp"

#include <array>
#include <string>

namespace berth::apps {

std::optional<error> first_error(const communicator& comm, const error* local) {
  const int speaker = comm.min(local != nullptr ? comm.rank() : comm.size());
  if (speaker == comm.size()) return std::nullopt;
  const bool mine = speaker == comm.rank();
  std::string text = mine ? local->text() : std::string();
  std::array<std::int64_t, 1> whose{mine ? static_cast<std::int64_t>(local->whose()) : 0};
  comm.broadcast(text, speaker);
  comm.broadcast(std::span<std::int64_t>(whose), speaker);
  return error(std::move(text), static_cast<blame>(whose[0]));
}

}  // namespace berth::apps
