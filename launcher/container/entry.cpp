#include "container/entry.hpp"

namespace berth::container {

std::string encode_words(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) {
    if (&word != &words.front()) text += '\n';
    for (const char c : word) {
      if (c == '%') {
        text += "%25";
      } else if (c == '\n') {
        text += "%0A";
      } else {
        text += c;
      }
    }
  }
  return text;
}

std::vector<std::string> decode_words(std::string_view text) {
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') {
      words.emplace_back();
    } else if (text[i] == '%' && i + 2 < text.size()) {
      words.back() += text.substr(i + 1, 2) == "0A" ? '\n' : '%';
      i += 2;
    } else {
      words.back() += text[i];
    }
  }
  return words;
}

}  // namespace berth::container
