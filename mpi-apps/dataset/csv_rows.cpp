#include "dataset/csv_rows.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace berth::apps {

namespace {

// "-1.7976931348623157e+308" is the longest.
constexpr std::size_t longest_number = 32;

template <class T>
void append_shortest(std::string& out, T value) {
  if (std::isnan(value)) return;
  std::array<char, longest_number> text;
  const auto done = std::to_chars(text.data(), text.data() + text.size(), value);
  out.append(text.data(), done.ptr);
}

}  // namespace

void append_field(std::string& out, std::string_view text) {
  const bool plain = !text.empty() && text.find_first_of(",;\t\"'\r\n") == std::string_view::npos &&
                     text.front() != ' ' && text.back() != ' ';
  if (plain) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_number(std::string& out, float value) {
  append_shortest(out, value);
}
void append_number(std::string& out, double value) {
  append_shortest(out, value);
}

void append_target(std::string& out, const dataset& data, double value) {
  const auto& levels = data.info.levels;
  const bool named =
      value >= 0 && value < static_cast<double>(levels.size()) && value == std::trunc(value);
  if (named) return append_field(out, levels[static_cast<std::size_t>(value)]);
  append_number(out, value);
}

std::vector<std::string> other_columns(const dataset& data) {
  auto names = data.info.targets;
  if (data.weights) names.push_back("weights");
  return names;
}

std::string csv_header(const dataset& data) {
  std::string out;
  auto names = data.info.names;
  const auto others = other_columns(data);
  names.insert(names.end(), others.begin(), others.end());
  for (const auto& name : names) {
    if (!out.empty()) out += ',';
    append_field(out, name);
  }
  return out + '\n';
}

template <class T>
void append_rows(std::string& out, const dataset& data, const panel<T>& rows) {
  const auto features = static_cast<std::size_t>(data.info.features);
  const auto targets = static_cast<std::size_t>(data.targets());
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows.range.count); ++i) {
    const auto line = out.size();
    for (std::size_t j = 0; j < features; ++j) {
      if (j > 0) out += ',';
      append_number(out, rows.x[i * features + j]);
    }
    for (std::size_t k = 0; k < targets; ++k) {
      out += ',';
      append_target(out, data, rows.y[i * targets + k]);
    }
    if (!rows.weights.empty()) {
      out += ',';
      append_number(out, rows.weights[i]);
    }
    // One empty field would be a blank line, which readers skip.
    if (out.size() == line) out += "\"\"";
    out += '\n';
  }
}

template void append_rows(std::string&, const dataset&, const panel<float>&);
template void append_rows(std::string&, const dataset&, const panel<double>&);

}  // namespace berth::apps
