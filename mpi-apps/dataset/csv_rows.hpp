#pragma once
// Rows of a dataset as CSV (RFC 4180) that reads back as the same numbers.

#include <string>

#include "data/panels.hpp"

namespace berth::apps {

/// The field, in double quotes where the text has a comma, a quote, a line end, or blanks around
/// it, or is empty.
void append_field(std::string& out, std::string_view text);

/// The shortest decimals that read back as the same number; nothing for NaN, which is how a missing
/// value is written; inf and -inf.
void append_number(std::string& out, float value);
void append_number(std::string& out, double value);

/// The header line: features, targets, weights. Ends with a line end.
std::string csv_header(const dataset& data);

/// The rows of a dense panel, a line each. Targets that stand for texts are written as the texts.
template <class T>
void append_rows(std::string& out, const dataset& data, const panel<T>& rows);

/// Names of the columns behind the features: the targets, then the weights.
std::vector<std::string> other_columns(const dataset& data);

/// The text of a target value: its level where it has one, else its digits.
void append_target(std::string& out, const dataset& data, double value);

}  // namespace berth::apps
