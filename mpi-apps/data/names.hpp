#pragma once
// What a file calls its columns and classes.

#include "data/dataset.hpp"
#include "data/discovery.hpp"

namespace berth::apps {

/// One name per feature, from the first that is there: attribute feature_names, a text scale of the
/// second dimension, AnnData's var; else x1, x2, ... Errors: names of another number than features.
result<std::vector<std::string>> find_feature_names(const hdf5_file& file, hid_t features,
                                                    const std::string& path, std::int64_t count);

/// What 0, 1, ... of a target stand for: attribute levels, or the members of an enum that are
/// numbered so. Empty for other numbers, and for text without the attribute.
result<std::vector<std::string>> find_levels(hid_t target);

/// The sorted distinct texts of a text target. Errors: more than `limit`: not class labels.
result<std::vector<std::string>> distinct_texts(const array_storage& target,
                                                std::size_t limit = 1000);

}  // namespace berth::apps
