#pragma once
// Texts as counts of words: a vocabulary that is learned, or a fixed number of hash buckets.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace berth::apps {

enum class word_mode { count, hash };

struct word_options {
  word_mode mode = word_mode::count;
  int bits = 14;  // 2^bits buckets of hashed words
  bool tf_idf = false;
};

/// Calls `use` for each word of `text`: two or more letters, digits, underscores or bytes of
/// non-ASCII characters, with ASCII letters made small. `scratch` is reused from call to call.
template <class Use>
void for_each_word(std::string_view text, std::string& scratch, Use&& use);

/// FNV-1a of 64 bits, folded to `bits`. Source: draft-eastlake-fnv, "The FNV Non-Cryptographic Hash
/// Algorithm".
std::uint64_t word_bucket(std::string_view word, int bits) noexcept;

/// In how many texts each word (or bucket) occurs.
class word_counts {
 public:
  /// More different words than this are refused: the vocabulary is held in memory.
  static constexpr std::size_t most_words = 1'000'000;

  void add(std::string_view text, const word_options& options);
  [[nodiscard]] bool too_many() const noexcept { return texts_with_.size() > most_words; }

  [[nodiscard]] const std::unordered_map<std::string, std::int64_t>& words() const noexcept {
    return texts_with_;
  }
  [[nodiscard]] const std::vector<std::int64_t>& buckets() const noexcept { return buckets_; }
  void add_count(const std::string& word, std::int64_t texts) { texts_with_[word] += texts; }
  void add_buckets(const std::vector<std::int64_t>& counts);

 private:
  std::unordered_map<std::string, std::int64_t> texts_with_;
  std::vector<std::int64_t> buckets_;
  std::vector<std::string> seen_;
  std::vector<std::uint64_t> seen_buckets_;
  std::string scratch_;
};

inline bool is_word_byte(unsigned char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c >= 0x80;
}

template <class Use>
void for_each_word(std::string_view text, std::string& scratch, Use&& use) {
  std::size_t at = 0;
  while (at < text.size()) {
    scratch.clear();
    for (; at < text.size() && is_word_byte(static_cast<unsigned char>(text[at])); ++at) {
      const char c = text[at];
      scratch.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
    if (scratch.size() >= 2) use(std::string_view(scratch));
    ++at;
  }
}

}  // namespace berth::apps
