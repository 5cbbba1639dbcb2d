#pragma once
// What an image is, by its content: names and suffixes say nothing.

#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "image/erofs.hpp"
#include "image/squashfs.hpp"

namespace berth::image {

/// A folder that holds the files of an image.
struct unpacked {};

using image_content = std::variant<superblock, erofs_superblock, unpacked>;

enum class kind { squashfs, erofs, folder };

/// Follows "image NAME " where a folder is refused by a node.
inline constexpr std::string_view folder_refusal =
    "is a folder, which a node does not mount; make an image of it: mksquashfs FOLDER NEW.sqsh; or "
    "start it with berth run";

/// "squashfs", "EROFS" or "folder".
std::string_view name_of(kind what);

kind kind_of(const image_content& what);

/// Reads the start of an open regular file, or sees that it is a folder; the offset stays where it
/// is. `fd` is borrowed. Everything that the parsers check holds, and the file is complete.
/// Errors: what else it is ("is a gzip file, not a squashfs image, an EROFS image or a folder"), or
/// what is wrong with it.
result<image_content> recognise(int fd);

}  // namespace berth::image
