#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace berth::lua {

/// A word of Lua source. Text of strings is what stands between the quotes, escapes untouched.
struct token {
  enum class kind { name, number, text, symbol, end };
  kind what = kind::end;
  std::string text;
  int line = 0;

  [[nodiscard]] bool is(std::string_view symbol_or_word) const {
    return (what == kind::symbol || what == kind::name) && text == symbol_or_word;
  }
};

/// Splits source that compiles; comments are left out; the last token is `end`.
std::vector<token> tokenize(std::string_view source);

}  // namespace berth::lua
