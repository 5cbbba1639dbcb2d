#include "pinning/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

#include "base/text.hpp"

namespace berth::pinning {
namespace {

struct policy_word {
  std::string_view word;
  policy value;
  std::string_view argument;  ///< what follows a colon: empty: nothing may; else how it is called
  bool argument_is_needed;
};
constexpr std::array<policy_word, 11> policies{{
    {"auto", policy::automatic, "", false},
    {"core", policy::core, "", false},
    {"l3", policy::l3, "", false},
    {"numa", policy::numa, "", false},
    {"package", policy::package, "", false},
    {"spread", policy::spread, "", false},
    {"compact", policy::compact, "", false},
    {"device", policy::device, "gpu|network|NAME", false},
    {"map", policy::map, "LIST", true},
    {"mask", policy::mask, "LIST", true},
    {"none", policy::none, "", false},
}};

struct memory_word {
  std::string_view word;
  memory_policy value;
};
constexpr std::array<memory_word, 4> memories{{
    {"mem=local", memory_policy::local},
    {"mem=interleave", memory_policy::interleave},
    {"mem=hbm", memory_policy::hbm},
    {"mem=firsttouch", memory_policy::first_touch},
}};

struct switch_word {
  std::string_view word;
  bool request::*member;
};
constexpr std::array<switch_word, 4> switches{{
    {"smt", &request::smt},
    {"verbose", &request::verbose},
    {"dry-run", &request::dry_run},
    {"check", &request::check},
}};

// No machine has more CPUs, no node more tasks.
constexpr std::uint64_t largest_cpu = 1'048'575;
constexpr std::size_t most_sets = 65'536;
// Sum of the sizes of all sets: lists with ranges and repetitions are short texts of large sets.
constexpr std::size_t most_cpus_listed = std::size_t{1} << 22;

std::string describe_words() {
  std::string text;
  for (const auto& word : request_words()) text += (text.empty() ? "" : ", ") + word;
  return text;
}

failure refuse(std::string_view text, std::string_view reason) {
  return fail(fmt::format("pinning \"{}\": {}; the words are {}", text.substr(0, 200),
                          reason.substr(0, 400), describe_words()));
}

std::vector<std::string_view> plain_words() {
  std::vector<std::string_view> known;
  for (const auto& p : policies) known.push_back(p.word);
  for (const auto& m : memories) known.push_back(m.word);
  for (const auto& s : switches) known.push_back(s.word);
  return known;
}

failure refuse_word(std::string_view text, std::string_view word) {
  if (word.empty()) return refuse(text, "a word is missing");
  const auto name = word.substr(0, word.find(':'));
  const auto meant = nearest_word(name, plain_words());
  if (meant.empty()) return refuse(text, fmt::format("unknown word \"{}\"", word.substr(0, 64)));
  return refuse(text, fmt::format("unknown word \"{}\", did you mean \"{}\"?", name, meant));
}

template <class Table>
auto find_word(const Table& table, std::string_view word) {
  return std::find_if(table.begin(), table.end(),
                      [&](const auto& entry) { return entry.word == word; });
}

/// A whole text as a CPU number: decimal, or with 0x hexadecimal.
std::optional<int> parse_cpu(std::string_view text) {
  const int base = text.starts_with("0x") ? 16 : 10;
  if (base == 16) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || code != std::errc{} || stop != end || value > largest_cpu) {
    return std::nullopt;
  }
  return static_cast<int>(value);
}

/// "4" or "4-7".
std::optional<std::vector<int>> parse_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_cpu(text.substr(0, dash));
  const auto last = dash == text.npos ? first : parse_cpu(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  std::vector<int> cpus;
  for (int cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
  return cpus;
}

/// "ff00", "0xff00": the last digit holds the CPUs 0 to 3.
std::optional<std::vector<int>> parse_mask(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  if (text.empty() || text.size() > largest_cpu / 4) return std::nullopt;
  std::vector<int> cpus;
  for (std::size_t i = text.size(); i-- > 0;) {
    unsigned digit = 0;
    const auto [stop, code] = std::from_chars(&text[i], &text[i] + 1, digit, 16);
    if (code != std::errc{}) return std::nullopt;
    for (std::size_t bit = 0; bit < 4; ++bit) {
      if ((digit >> bit & 1) != 0) {
        cpus.push_back(static_cast<int>(4 * (text.size() - 1 - i) + bit));
      }
    }
  }
  if (cpus.empty()) return std::nullopt;
  return cpus;
}

/// One element of a list and how often it counts: "0-3*2".
std::optional<std::pair<std::vector<int>, std::size_t>> parse_element(policy how,
                                                                      std::string_view text) {
  const auto star = text.find('*');
  const auto count =
      star == text.npos ? std::optional<std::uint64_t>(1) : parse_unsigned(text.substr(star + 1));
  if (!count || *count < 1 || *count > most_sets) return std::nullopt;
  auto cpus =
      how == policy::map ? parse_range(text.substr(0, star)) : parse_mask(text.substr(0, star));
  if (!cpus) return std::nullopt;
  return std::pair(std::move(*cpus), static_cast<std::size_t>(*count));
}

/// Words after map: and mask: that go on with its list.
bool continues_list(policy how, std::string_view word) {
  if (how != policy::map && how != policy::mask) return false;
  if (word.empty()) return false;
  const auto is_decimal = word.front() >= '0' && word.front() <= '9';
  return is_decimal || (how == policy::mask && parse_element(how, word).has_value());
}

/// Reads the words one after the other into a request.
class reader {
 public:
  explicit reader(std::string_view text) : text_(text) {}

  result<request> read() {
    for (const auto& word : split(text_, ',')) {
      if (auto done = take(word); !done) return pass(std::move(done));
    }
    return std::move(asked_);
  }

 private:
  result<void> take(std::string_view word) {
    if (in_list_ && continues_list(asked_.how, word)) return take_element(word);
    in_list_ = false;
    const auto colon = word.find(':');
    const auto p = find_word(policies, word.substr(0, colon));
    if (p != policies.end()) {
      return take_policy(*p, word,
                         colon == word.npos ? std::nullopt : std::optional(word.substr(colon + 1)));
    }
    if (const auto m = find_word(memories, word); m != memories.end()) return take_memory(*m);
    const auto s = find_word(switches, word);
    if (s == switches.end()) return refuse_word(text_, word);
    if (asked_.*(s->member)) return refuse(text_, fmt::format("\"{}\" appears twice", word));
    asked_.*(s->member) = true;
    return {};
  }

  result<void> take_policy(const policy_word& entry, std::string_view word,
                           std::optional<std::string_view> argument) {
    if (!policy_.empty()) {
      return refuse(text_,
                    fmt::format("\"{}\" after \"{}\", but one policy is enough", word, policy_));
    }
    policy_ = entry.word;
    asked_.how = entry.value;
    if (!argument) {
      if (!entry.argument_is_needed) return {};
      return refuse(text_,
                    fmt::format("\"{0}\" needs {1}, as in \"{0}:0,1\"", word, entry.argument));
    }
    if (entry.argument.empty()) {
      return refuse(text_, fmt::format("\"{}\" takes nothing after a colon", entry.word));
    }
    if (entry.value != policy::device) return in_list_ = true, take_element(*argument);
    if (argument->empty() || argument->size() > 64) {
      return refuse(text_, fmt::format("\"{}\" names no device", word));
    }
    asked_.device = *argument;
    return {};
  }

  result<void> take_memory(const memory_word& entry) {
    if (asked_.memory != memory_policy::unchanged) {
      return refuse(text_, fmt::format("\"{}\", but one mem= is enough", entry.word));
    }
    asked_.memory = entry.value;
    return {};
  }

  result<void> take_element(std::string_view word) {
    const auto element = parse_element(asked_.how, word);
    if (!element) {
      return refuse(text_, asked_.how == policy::map
                               ? fmt::format("\"{}\" in map: is not a CPU or a range such as 4-7",
                                             word.substr(0, 64))
                               : fmt::format("\"{}\" in mask: is not a hexadecimal mask with at "
                                             "least one CPU, such as 0xf0",
                                             word.substr(0, 64)));
    }
    const auto& [cpus, count] = *element;
    listed_ += cpus.size() * count;
    if (asked_.sets.size() + count > most_sets || listed_ > most_cpus_listed) {
      return refuse(text_, "the list is too long");
    }
    asked_.sets.insert(asked_.sets.end(), count, cpus);
    return {};
  }

  std::string_view text_;
  request asked_;
  std::string_view policy_;
  bool in_list_ = false;
  std::size_t listed_ = 0;
};

/// CPUs as a mask: {0, 5} -> "0x21". @pre ascending, not empty
std::string to_mask(const std::vector<int>& cpus) {
  std::vector<unsigned> digits(static_cast<std::size_t>(cpus.back()) / 4 + 1, 0);
  for (const int cpu : cpus) {
    digits[static_cast<std::size_t>(cpu) / 4] |= 1U << (static_cast<unsigned>(cpu) % 4);
  }
  std::string text = "0x";
  for (auto d = digits.rbegin(); d != digits.rend(); ++d) text += fmt::format("{:x}", *d);
  return text;
}

std::string argument_of(const request& asked) {
  if (!asked.device.empty()) return ":" + asked.device;
  std::string text;
  for (std::size_t first = 0; first < asked.sets.size();) {
    auto end = first + 1;
    while (end < asked.sets.size() && asked.sets[end] == asked.sets[first]) ++end;
    const auto& cpus = asked.sets[first];
    text += text.empty() ? ":" : ",";
    text += asked.how == policy::map ? format_list(cpus) : to_mask(cpus);
    if (end - first > 1) text += fmt::format("*{}", end - first);
    first = end;
  }
  return text;
}

}  // namespace

std::vector<std::string> request_words() {
  std::vector<std::string> words;
  for (const auto& p : policies) {
    if (!p.argument_is_needed) words.emplace_back(p.word);
    if (!p.argument.empty()) words.push_back(fmt::format("{}:{}", p.word, p.argument));
  }
  for (const auto& m : memories) words.emplace_back(m.word);
  for (const auto& s : switches) words.emplace_back(s.word);
  return words;
}

result<request> parse_request(std::string_view text) {
  return reader(text).read();
}

std::string to_string(const request& asked) {
  std::string text;
  for (const auto& p : policies) {
    if (p.value == asked.how) text = p.word;
  }
  text += argument_of(asked);
  for (const auto& m : memories) {
    if (m.value == asked.memory) text += fmt::format(",{}", m.word);
  }
  for (const auto& s : switches) {
    if (asked.*(s.member)) text += fmt::format(",{}", s.word);
  }
  return text;
}

}  // namespace berth::pinning
