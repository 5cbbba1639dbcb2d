#include "binding/tokens.hpp"

#include <algorithm>
#include <optional>

namespace berth::lua {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class tokenizer {
 public:
  explicit tokenizer(std::string_view source) : rest_(source) {}

  std::vector<token> all() {
    while (!rest_.empty()) step();
    add(token::kind::end, {});
    return std::move(tokens_);
  }

 private:
  void step() {
    const char c = rest_.front();
    if (c == '\n' || c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
      take(1);
    } else if (rest_.substr(0, 2) == "--") {
      comment();
    } else if (c == '"' || c == '\'') {
      quoted();
    } else if (const auto body = long_bracket()) {
      add(token::kind::text, *body);
    } else if (is_letter(c)) {
      word(token::kind::name);
    } else if (is_digit(c)) {
      word(token::kind::number);
    } else {
      symbol();
    }
  }

  void add(token::kind what, std::string_view text) {
    tokens_.push_back({what, std::string(text), start_line_ > 0 ? start_line_ : line_});
    start_line_ = 0;
  }

  std::string_view take(std::size_t count) {
    const auto taken = rest_.substr(0, count);
    line_ += static_cast<int>(std::count(taken.begin(), taken.end(), '\n'));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  // [[...]] or [==[...]==]; nothing if the text goes on differently.
  std::optional<std::string_view> long_bracket() {
    if (rest_.front() != '[') return std::nullopt;
    const auto level = rest_.find_first_not_of('=', 1);
    if (level == std::string_view::npos || rest_[level] != '[') return std::nullopt;
    std::string closing(level + 1, '=');
    closing.front() = closing.back() = ']';
    const auto end = std::min(rest_.find(closing, level + 1), rest_.size());
    start_line_ = line_;
    const auto body = rest_.substr(level + 1, end - level - 1);
    take(end + closing.size());
    return body;
  }

  void comment() {
    take(2);
    if (!rest_.empty() && long_bracket()) {
      start_line_ = 0;
      return;
    }
    take(std::min(rest_.find('\n'), rest_.size()));
  }

  void quoted() {
    start_line_ = line_;
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != rest_.front()) end += rest_[end] == '\\' ? 2U : 1U;
    const auto body = rest_.substr(1, end - 1);
    take(end + 1);
    add(token::kind::text, body);
  }

  void word(token::kind what) {
    const auto* last = std::find_if(rest_.begin(), rest_.end(), [&](char c) {
      return !is_letter(c) && !is_digit(c) && !(c == '.' && what == token::kind::number);
    });
    add(what, take(static_cast<std::size_t>(last - rest_.begin())));
  }

  void symbol() {
    constexpr std::string_view before_equal = "=~<>";
    const bool pair = rest_.size() > 1 && rest_[1] == '=' &&
                      before_equal.find(rest_.front()) != std::string_view::npos;
    add(token::kind::symbol, take(pair ? 2 : 1));
  }

  std::string_view rest_;
  int line_ = 1;
  int start_line_ = 0;  // of the token being read, when it may span lines
  std::vector<token> tokens_;
};

}  // namespace

std::vector<token> tokenize(std::string_view source) {
  return tokenizer(source).all();
}

}  // namespace berth::lua
