#include "pinning/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.hpp"

namespace berth::pinning {
namespace {

constexpr std::array<std::pair<std::string_view, policy>, 4> policies{{
    {"auto", policy::automatic},
    {"core", policy::core},
    {"numa", policy::numa},
    {"none", policy::none},
}};
constexpr std::array<std::pair<std::string_view, bool request::*>, 2> switches{{
    {"smt", &request::smt},
    {"verbose", &request::verbose},
}};
constexpr std::string_view usage =
    "write one of auto, core, numa or none, and after commas smt or verbose, as in "
    "\"auto,verbose\"";

/// Levenshtein distance: letters to insert, delete or replace.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row[b.size()];
}

/// The valid word that `word` most likely meant; none when nothing is near.
std::string_view nearest(std::string_view word) {
  std::string_view best;
  auto best_distance = std::size_t{3};
  const auto consider = [&](std::string_view candidate) {
    const auto d = distance(word, candidate);
    if (d >= best_distance || d >= candidate.size()) return;
    best = candidate;
    best_distance = d;
  };
  for (const auto& [name, value] : policies) consider(name);
  for (const auto& [name, value] : switches) consider(name);
  return best;
}

failure refuse(std::string_view text, std::string_view reason) {
  return fail(fmt::format("pinning \"{}\": {}; {}", text, reason, usage));
}

failure refuse_word(std::string_view text, std::string_view word) {
  if (word.empty()) return refuse(text, "a word is missing");
  // Whoever types a paragraph is not one letter away from a word; and the distance is quadratic.
  const auto meant = word.size() <= 32 ? nearest(word) : std::string_view();
  if (meant.empty()) return refuse(text, fmt::format("unknown word \"{}\"", word));
  return refuse(text, fmt::format("unknown word \"{}\", did you mean \"{}\"?", word, meant));
}

}  // namespace

result<request> parse_request(std::string_view text) {
  request asked;
  std::string_view chosen;
  for (const auto& word : split(text, ',')) {
    const auto is_word = [&](const auto& entry) { return entry.first == word; };
    if (const auto p = std::find_if(policies.begin(), policies.end(), is_word);
        p != policies.end()) {
      if (!chosen.empty()) {
        return refuse(text,
                      fmt::format("\"{}\" after \"{}\", but one policy is enough", word, chosen));
      }
      chosen = p->first;
      asked.how = p->second;
      continue;
    }
    const auto s = std::find_if(switches.begin(), switches.end(), is_word);
    if (s == switches.end()) return refuse_word(text, word);
    if (asked.*(s->second)) return refuse(text, fmt::format("\"{}\" appears twice", word));
    asked.*(s->second) = true;
  }
  return asked;
}

std::string to_string(const request& asked) {
  std::string text;
  for (const auto& [name, value] : policies) {
    if (value == asked.how) text = name;
  }
  for (const auto& [name, member] : switches) {
    if (asked.*member) text += fmt::format(",{}", name);
  }
  return text;
}

}  // namespace berth::pinning
