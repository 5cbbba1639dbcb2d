#pragma once
// Small values in HDF5: attributes, and one-dimensional datasets of doubles.
// `where` is an open file, group or dataset, borrowed.

#include <span>

#include "common/hdf5.hpp"

namespace berth::apps {

result<void> write_attribute(hid_t where, const char* name, const std::string& text);
result<void> write_attribute(hid_t where, const char* name, double value);
result<void> write_attribute(hid_t where, const char* name, std::int64_t value);
/// A one-dimensional attribute of float64.
result<void> write_attribute(hid_t where, const char* name, std::span<const double> values);
/// A one-dimensional attribute of variable-length UTF-8 strings. Long lists need the file to be
/// created with create_hdf5(), which lifts the 64 KiB limit of old-style headers.
result<void> write_attribute(hid_t where, const char* name, std::span<const std::string> texts);

/// The same in fixed-length strings, as long as the longest text: they lie in the attribute itself,
/// where variable-length ones lie in a heap, at addresses that HDF5 1.10 follows unchecked.
result<void> write_fixed(hid_t where, const char* name, const std::string& text);
result<void> write_fixed(hid_t where, const char* name, std::span<const std::string> texts);
/// A one-dimensional dataset of them.
result<void> write_fixed_dataset(hid_t where, const char* name, std::span<const std::string> texts);

bool has_attribute(hid_t where, const char* name);
/// Variable-length and fixed-length strings alike; a scalar gives a list of one.
result<std::vector<std::string>> read_texts(hid_t where, const char* name);
result<std::string> read_text(hid_t where, const char* name);
/// What write_fixed() and write_fixed_dataset() wrote, from files of strangers. Errors:
/// variable-length strings; more bytes than `most`.
inline constexpr std::size_t most_text_bytes = std::size_t{1} << 28;
result<std::vector<std::string>> read_fixed(hid_t where, const char* name,
                                            std::size_t most = most_text_bytes);
result<std::vector<std::string>> read_fixed_dataset(hid_t where, const char* name,
                                                    std::size_t most = most_text_bytes);
result<double> read_number(hid_t where, const char* name);
/// A whole number below 2^53; errors: another number.
result<std::int64_t> read_count(hid_t where, const char* name);
/// All numbers of an attribute; a scalar gives a list of one.
result<std::vector<double>> read_numbers(hid_t where, const char* name);
/// Values of an attribute, or 0.
std::int64_t count_of(hid_t where, const char* name);
/// Names of all attributes, in alphabetical order.
std::vector<std::string> attribute_names(hid_t where);

/// A new file for this process alone, replacing what is at `path`.
result<hdf5_file> create_hdf5(const std::string& path);

/// Writes a contiguous float64 dataset of the given shape. @pre values.size() == product of shape
result<hdf5_dataset> write_doubles(hid_t where, const char* name,
                                   const std::vector<std::int64_t>& shape,
                                   std::span<const double> values);
/// Reads a whole numeric dataset of one dimension, or of the shape that is asked for. Errors:
/// another shape; numbers that were never written.
result<std::vector<double>> read_doubles(hid_t where, const char* name);
result<std::vector<double>> read_doubles(hid_t where, const char* name,
                                         const std::vector<std::int64_t>& shape);

}  // namespace berth::apps
