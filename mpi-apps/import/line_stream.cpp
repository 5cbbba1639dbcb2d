#include "import/line_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace berth::apps {

namespace {

constexpr std::size_t first_buffer = std::size_t{1} << 18;
constexpr std::size_t longest_line = std::size_t{1} << 26;
constexpr std::size_t search_buffer = std::size_t{1} << 16;

}  // namespace

line_stream::line_stream(const source_file& source, std::int64_t begin)
    : source_(&source), buffer_(first_buffer), block_at_(begin) {}

bool line_stream::refill() {
  const std::size_t rest = filled_ - at_;
  if (rest > longest_line) {
    fault_ = text_fault{lines_, fmt::format("is longer than {} MB", longest_line / 1'000'000)};
    return false;
  }
  std::memmove(buffer_.data(), buffer_.data() + at_, rest);
  block_at_ += static_cast<std::int64_t>(at_);
  at_ = 0;
  if (rest > buffer_.size() / 2) buffer_.resize(buffer_.size() * 2);
  const std::size_t room = buffer_.size() - rest;
  auto got = source_->read(block_at_ + static_cast<std::int64_t>(rest),
                           std::span(buffer_).subspan(rest, room));
  if (!got) {
    fault_ = text_fault{0, got.error().text(), false, got.error().whose()};
    return false;
  }
  filled_ = rest + *got;
  last_ = *got < room;
  return true;
}

bool line_stream::next(std::string_view& line) {
  for (;;) {
    const char* const begin = buffer_.data() + at_;
    const std::size_t left = filled_ - at_;
    const void* const end = left > 0 ? std::memchr(begin, '\n', left) : nullptr;
    if (end == nullptr && !last_) {
      if (fault_ || !refill()) return false;
      continue;
    }
    if (end == nullptr && left == 0) return false;
    const std::size_t size =
        end == nullptr ? left : static_cast<std::size_t>(static_cast<const char*>(end) - begin);
    line = {begin, size};
    at_ += std::min(size + 1, left);
    ++lines_;
    return true;
  }
}

std::int64_t next_line(const source_file& source, std::int64_t from) {
  std::vector<char> text(search_buffer);
  for (std::int64_t at = from; at < source.size();) {
    const auto got = source.read(at, text).value_or(0);
    if (got == 0) break;
    const void* const end = std::memchr(text.data(), '\n', got);
    if (end != nullptr) return at + (static_cast<const char*>(end) - text.data()) + 1;
    at += static_cast<std::int64_t>(got);
  }
  return source.size();
}

}  // namespace berth::apps
