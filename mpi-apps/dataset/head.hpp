#pragma once
// dataset head: the first rows of an HDF5 dataset.

#include "data/dataset.hpp"
#include "data/row_block.hpp"

namespace berth::apps {

/// The first `rows` rows, or all where there are fewer.
result<row_block> read_head(const dataset& data, std::int64_t rows);

/// A table no wider than `width` columns of text: the targets and weights, and as many features as
/// fit. Missing values are NA.
std::string head_text(const dataset& data, const row_block& rows, std::size_t width);
std::string head_json(const dataset& data, const row_block& rows);

}  // namespace berth::apps
