#pragma once
// What libraries open while they run, which no loader can list: plugins, their configuration and
// their texts. Known for Open MPI, PMIx, UCX, libfabric, rdma-core and hwloc.
//
// Each library has the folders compiled into it as text, so the library itself is asked: every
// absolute path in its file that is a folder here is looked at. This follows an installation under
// any prefix, on any architecture.

#include <string>
#include <vector>

#include "base/error.hpp"
#include "image/libraries.hpp"
#include "image/tree.hpp"

namespace berth::image {

/// Absolute paths among the texts (ended by NUL) of a binary file, each once.
std::vector<std::string> embedded_paths(std::string_view binary);

/// Adds what the libraries found so far open at run time, and the libraries of that. Returns one
/// sentence for each plugin left out because it needs a library that this machine lacks: the
/// library that would open it does without it too.
result<std::vector<std::string>> add_runtime_files(tree& into, library_closure& libraries);

}  // namespace berth::image
