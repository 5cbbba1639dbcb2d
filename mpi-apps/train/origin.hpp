#pragma once
// What a model file says about where the model comes from.

#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/mpi.hpp"
#include "models/model.hpp"

namespace berth::apps {

/// Command line, hosts, versions of libraries, and the digest of each file on rank 0. Collective,
/// agreed. Errors: a file that cannot be read.
result<model_origin> describe_origin(const communicator& comm, const std::string& command,
                                     const std::vector<std::string>& files);

/// The words of a command line, quoted where a shell needs it.
std::string command_line(int argc, const char* const* argv);

/// "bytes-hash" of digest_of(), or an error.
result<std::string> digest_text(const std::string& path);

}  // namespace berth::apps
