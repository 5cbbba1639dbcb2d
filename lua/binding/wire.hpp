#pragma once
// Messages between the process that evaluates a site file and the one that trusts nothing it says.
// JSON texts; decoding accepts exactly the fields that encoding writes, in range and of their type.

#include <string>
#include <string_view>
#include <vector>

#include "binding/convert.hpp"
#include "site/config.hpp"

namespace berth::lua {

/// What the child says after evaluating: values, or the reasons why there are none.
struct evaluation {
  site::config rules;
  origins from;
  std::vector<std::string> problems;
};

struct question {
  site::job_facts job;
  site::image_facts image;
};

std::string encode(const evaluation& what);
std::string encode(const question& what);
std::string encode(const result<site::decision>& what);

result<evaluation> decode_evaluation(std::string_view message);
result<question> decode_question(std::string_view message);
/// An error of the policy function comes back as the error that it was.
result<site::decision> decode_decision(std::string_view message);

/// Fit for a terminal and a log: one line, no control characters, valid UTF-8, at most 1000 bytes.
std::string printable(std::string_view text);

/// RFC 3629: no overlong forms, no surrogates.
bool is_utf8(std::string_view text);

}  // namespace berth::lua
