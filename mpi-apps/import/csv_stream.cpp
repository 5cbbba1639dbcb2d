#include "import/csv_stream.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace berth::apps {

namespace {

// A longer record is a quote that was never closed, rather than data.
constexpr std::size_t longest_record = std::size_t{1} << 26;

}  // namespace

csv_stream::csv_stream(const source_file& source, csv_dialect dialect, std::int64_t begin,
                       std::size_t buffer)
    : source_(&source), splitter_(dialect), buffer_(buffer + 1), block_at_(begin) {}

bool csv_stream::refill() {
  const std::size_t used = splitter_.consumed();
  const std::size_t rest = filled_ - used;
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(used),
            buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.begin());
  block_at_ += static_cast<std::int64_t>(used);
  if (rest > longest_record) {
    fault_ = text_fault{lines(), fmt::format("a record is longer than {} MB; a quote may be open",
                                             longest_record / 1'000'000)};
    return false;
  }
  if (rest + 1 >= buffer_.size() / 2) buffer_.resize(buffer_.size() * 2);
  const std::size_t room = buffer_.size() - 1 - rest;
  auto got = source_->read(block_at_ + static_cast<std::int64_t>(rest),
                           std::span(buffer_).subspan(rest, room));
  if (!got) {
    fault_ = text_fault{0, got.error().text(), false, got.error().whose()};
    return false;
  }
  filled_ = rest + *got;
  last_ = *got < room;
  splitter_.begin(std::span(buffer_).first(filled_), last_);
  return true;
}

bool csv_stream::next(std::vector<std::string_view>& fields) {
  if (fault_) return false;
  for (;;) {
    switch (splitter_.next(fields)) {
      case csv_splitter::found::record:
        return true;
      case csv_splitter::found::broken:
        fault_ = text_fault{splitter_.lines(), splitter_.fault()};
        return false;
      case csv_splitter::found::more:
        if (last_ || !refill()) return false;
    }
  }
}

}  // namespace berth::apps
