#pragma once
// What a file is by its first bytes: only for the text of errors.

#include <cstddef>
#include <span>
#include <string_view>

namespace berth::image {

/// A short noun phrase such as "a gzip file", with the way to an image where there is one; empty
/// when the bytes say nothing.
std::string_view describe_content(std::span<const std::byte> start);

}  // namespace berth::image
