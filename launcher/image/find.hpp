#pragma once
// Names of an image's files, without mounting it.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "image/kind.hpp"

namespace berth::image {

/// The paths, as the image sees them, that match one of `patterns`: "/usr/lib/*/libmpi*", where "*"
/// stays within one name and follows no link. Ascending, without repeats. Works with the caller's
/// rights and starts unsquashfs for squashfs. `fd` is the image's, borrowed; `path` names the same
/// file. Errors: a damaged image, no unsquashfs, an image that makes it look at more than 200,000
/// names.
result<std::vector<std::string>> find_files(int fd, const std::string& path,
                                            const image_content& content,
                                            std::span<const std::string_view> patterns);

}  // namespace berth::image
