#include "binding/source_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "binding/tokens.hpp"

namespace berth::lua {
namespace {

constexpr std::string_view root = "return";
constexpr int deepest_table = 200;  // Lua's own limit on nesting

template <std::size_t N>
bool is_one_of(const token& t, const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(), [&](auto word) { return t.is(word); });
}

constexpr std::array<std::string_view, 7> openers = {"{",  "(",  "[",     "function",
                                                     "if", "do", "repeat"};
constexpr std::array<std::string_view, 5> closers = {"}", ")", "]", "end", "until"};
constexpr std::array<std::string_view, 3> separators = {",", ";", "}"};
constexpr std::array<std::string_view, 2> operators = {"and", "or"};

}  // namespace

class source_reader {
 public:
  source_reader(std::string_view source, source_map& map) : tokens_(tokenize(source)), map_(map) {}

  void read() {
    collect_names();
    for (int depth = 0; here().what != token::kind::end;) {
      if (depth == 0 && statement()) continue;
      if (is_one_of(here(), openers)) ++depth;
      if (is_one_of(here(), closers)) --depth;
      ++at_;
    }
  }

 private:
  [[nodiscard]] const token& here(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  void record(const std::string& path, int line) { map_.lines_[path] = line; }

  void collect_names() {
    for (std::size_t i = 0; i + 1 < tokens_.size(); ++i) {
      if (tokens_[i].what == token::kind::name && tokens_[i + 1].is("=")) {
        map_.names_.emplace(tokens_[i].text, tokens_[i].line);
      }
    }
  }

  // `return VALUE` or `NAME.NAME = VALUE`; false, and nothing consumed, for anything else.
  bool statement() {
    const auto line = here().line;
    if (here().is(root)) {
      ++at_;
      record(std::string(root), line);
      value(std::string(root), 0);
      return true;
    }
    if (here().what != token::kind::name || (at_ > 0 && tokens_[at_ - 1].is(","))) return false;
    auto path = here().text;
    std::size_t next = 1;
    while (here(next).is(".") && here(next + 1).what == token::kind::name) {
      path += "." + here(next + 1).text;
      next += 2;
    }
    if (!here(next).is("=")) return false;
    at_ += next + 1;
    record(path, line);
    value(path, 0);
    return true;
  }

  void value(const std::string& path, int depth) {
    if (here().is("{") && depth < deepest_table) return table(path, depth + 1);
    const auto& next = here(1);
    const bool alone = next.what == token::kind::end || is_one_of(next, separators) ||
                       (next.what == token::kind::name && !is_one_of(next, operators));
    if (here().what == token::kind::name && alone) map_.aliases_[path] = here().text;
  }

  void table(const std::string& path, int depth) {
    ++at_;
    for (int index = 0; here().what != token::kind::end && !here().is("}");) {
      const auto line = here().line;
      auto key = explicit_key(path);
      if (key.empty()) key = fmt::format("{}[{}]", path, ++index);
      record(key, line);
      value(key, depth);
      skip_field();
    }
    ++at_;
  }

  // NAME =, ["NAME"] = or [NUMBER] =, consumed; empty for a value without a key.
  std::string explicit_key(const std::string& path) {
    if (here().what == token::kind::name && here(1).is("=")) {
      auto key = path + "." + here().text;
      at_ += 2;
      return key;
    }
    if (!here().is("[")) return {};
    const auto& inner = here(1);
    std::string key = path + ".?";
    if (here(2).is("]") && inner.what == token::kind::text) key = path + "." + inner.text;
    if (here(2).is("]") && inner.what == token::kind::number) key = path + "[" + inner.text + "]";
    ++at_;
    skip_until_closed();
    ++at_;  // the "="
    return key;
  }

  void skip_until_closed() {
    for (int depth = 1; depth > 0 && here().what != token::kind::end; ++at_) {
      if (is_one_of(here(), openers)) ++depth;
      if (is_one_of(here(), closers)) --depth;
    }
  }

  void skip_field() {
    while (here().what != token::kind::end && !is_one_of(here(), separators)) {
      const bool opens = is_one_of(here(), openers);
      ++at_;
      if (opens) skip_until_closed();
    }
    if (!here().is("}")) ++at_;
  }

  std::vector<token> tokens_;
  source_map& map_;
  std::size_t at_ = 0;
};

source_map::source_map(std::string_view source) {
  source_reader(source, *this).read();
}

std::string source_map::follow(std::string path) const {
  constexpr int longest_chain = 8;  // a = b; b = a must end
  for (int i = 0; i < longest_chain; ++i) {
    const auto alias = aliases_.find(path);
    if (alias == aliases_.end()) break;
    path = alias->second;
  }
  return path;
}

int source_map::line_of(std::string_view key) const {
  const auto known = [&](const std::string& path) {
    const auto found = lines_.find(path);
    return found == lines_.end() ? 0 : found->second;
  };
  std::string path(root);
  int line = known(path);
  bool exact = true;
  std::string last;
  while (!key.empty()) {
    const auto size = std::min(key.find_first_of(".[", 1), key.size());
    last = key.substr(key.front() == '.' ? 1 : 0, size - (key.front() == '.' ? 1 : 0));
    path = follow(std::move(path));
    path.append(key.front() == '[' ? "" : ".").append(last);
    key.remove_prefix(size);
    exact = known(path) > 0;
    if (exact) line = known(path);
  }
  if (!exact && names_.count(last) == 1) line = names_.find(last)->second;
  return line;
}

}  // namespace berth::lua
