#pragma once
// Small text helpers that the standard library lacks.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace berth {

/// Pieces between separators, empty pieces kept: "a::b" -> {"a", "", "b"}; "" -> {""}.
std::vector<std::string> split(std::string_view text, char separator);

/// Without leading and trailing blanks, tabs and newlines.
std::string_view trim(std::string_view text);

/// What a terminal or a log can act on becomes "?": control characters, also those that UTF-8
/// writes in two bytes (U+009B starts a sequence as ESC [ does).
std::string printable(std::string text);

/// The whole text as a non-negative decimal number, or nothing.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);

/// A size in bytes with an optional binary suffix K, M, G or T: "512M" -> 536870912.
result<std::uint64_t> parse_size(std::string_view text);

/// Linux list notation, as in cpuset files: {0,1,2,5} -> "0-2,5". @pre ascending.
std::string format_list(const std::vector<int>& numbers);

/// The inverse of format_list; accepts any order, returns ascending without repeats.
/// Refuses numbers above 1,048,575 (no kernel numbers CPUs that high).
result<std::vector<int>> parse_list(std::string_view text);

/// The word of `known` that was most likely meant by `word`: the fewest letters inserted, deleted
/// or replaced, at most one and one for every four letters; empty when none is near. The first of
/// equals.
std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace berth
