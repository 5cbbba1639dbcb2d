#include "html/markup.hpp"

#include <cstdint>

namespace berth::apps {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool continues(unsigned char byte) noexcept {
  return (byte & 0xC0) == 0x80;
}

// Bytes of the character that begins at `at`; 0 where it is no valid one (RFC 3629).
std::size_t character_size(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : std::uint8_t{0};
  };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if (!continues(byte(i))) return 0;
  }
  const unsigned char second = byte(1);
  if (first == 0xE0 && second < 0xA0) return 0;
  if (first == 0xED && second > 0x9F) return 0;
  if (first == 0xF0 && second < 0x90) return 0;
  if (first == 0xF4 && second > 0x8F) return 0;
  const bool is_last_two = first == 0xEF && second == 0xBF && byte(2) >= 0xBE;
  return is_last_two ? 0 : size;
}

std::string_view entity(char c) noexcept {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    case '\t':
    case '\n':
    case '\r':
      return " ";
    default:
      return {};
  }
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_size(text, at);
    if (size == 1 && !entity(text[at]).empty()) {
      out += entity(text[at]);
    } else if (size == 0 ||
               (size == 1 && (static_cast<unsigned char>(text[at]) < 0x20 || text[at] == 0x7F))) {
      out += replacement;
    } else {
      out += text.substr(at, size);
    }
    at += size == 0 ? 1 : size;
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t width) {
  std::size_t characters = 0;
  std::size_t keep = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (continues(static_cast<unsigned char>(text[at]))) continue;
    if (characters + 1 == width) keep = at;
    if (++characters > width) return std::string(text.substr(0, keep)) + "\u2026";
  }
  return std::string(text);
}

}  // namespace berth::apps
