#pragma once
// Finding an object in a file by its path, and saying what is there instead.

#include <string>
#include <vector>

#include "common/hdf5.hpp"

namespace berth::apps {

/// An owned HDF5 object: a group or a dataset.
using hdf5_object = hdf5_handle<H5Oclose>;

/// "/X" for "X".
std::string absolute(const std::string& path);

/// Opens the object at `path` of `file`, whose name is `file_name`. Errors: not there (the
/// candidates are listed), a link to something that is not there (the link's target is named).
result<hdf5_object> open_object(const hdf5_file& file, const std::string& file_name,
                                const std::string& path);

/// There is something at this path, if only a link to nothing.
bool has_object(hid_t where, const std::string& path);

/// Datasets of one or two dimensions and CSR groups of a file, one text each with shape and type:
/// "/images [60000 x 784] uint8". At most `limit`, then how many more.
std::vector<std::string> list_candidates(const hdf5_file& file, std::size_t limit = 20);

/// The text attribute of an object; empty where there is none.
std::string text_or_nothing(hid_t where, const char* name);

/// All texts of a one-dimensional text dataset, or numbers as text.
result<std::vector<std::string>> read_all_texts(hid_t dataset, const std::string& path);

}  // namespace berth::apps
