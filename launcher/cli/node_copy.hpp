#pragma once
// A job's own copy of an image on this node, made by staging.

#include "base/error.hpp"
#include "container/image_file.hpp"
#include "container/protocol.hpp"
#include "site/config.hpp"

namespace berth::cli {

/// Opens the copy that the request names, and compares its digest unless nobody has written to it
/// since that was done last. @pre request.staged is not empty
/// Errors name the original image.
result<container::image_file> open_job_copy(const container::node_request& request,
                                            const site::config& rules);

}  // namespace berth::cli
