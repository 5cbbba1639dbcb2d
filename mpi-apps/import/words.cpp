#include "import/words.hpp"

#include <algorithm>

namespace berth::apps {

std::uint64_t word_bucket(std::string_view word, int bits) noexcept {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : word) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001B3U;
  }
  return (hash ^ (hash >> 32U)) & ((std::uint64_t{1} << static_cast<unsigned>(bits)) - 1);
}

void word_counts::add(std::string_view text, const word_options& options) {
  if (options.mode == word_mode::hash) {
    if (!options.tf_idf) return;  // nothing to learn
    buckets_.resize(std::size_t{1} << static_cast<unsigned>(options.bits));
    seen_buckets_.clear();
    for_each_word(text, scratch_, [&](std::string_view word) {
      seen_buckets_.push_back(word_bucket(word, options.bits));
    });
    std::sort(seen_buckets_.begin(), seen_buckets_.end());
    const auto end = std::unique(seen_buckets_.begin(), seen_buckets_.end());
    for (auto at = seen_buckets_.begin(); at != end; ++at) ++buckets_[*at];
    return;
  }
  seen_.clear();
  for_each_word(text, scratch_, [&](std::string_view word) { seen_.emplace_back(word); });
  std::sort(seen_.begin(), seen_.end());
  const auto end = std::unique(seen_.begin(), seen_.end());
  for (auto at = seen_.begin(); at != end && !too_many(); ++at) ++texts_with_[*at];
}

void word_counts::add_buckets(const std::vector<std::int64_t>& counts) {
  buckets_.resize(std::max(buckets_.size(), counts.size()));
  for (std::size_t i = 0; i < counts.size(); ++i) buckets_[i] += counts[i];
}

}  // namespace berth::apps
