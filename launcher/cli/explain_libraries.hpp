#pragma once
// The part of --container-explain that looks into programs: for which machine the image is, and
// whether libraries of this machine that are mounted into it can run with its C library.

#include <string>
#include <string_view>
#include <vector>

#include "cli/image_facts.hpp"
#include "container/plan.hpp"

namespace berth::cli {

/// The newest release of glibc that an ELF file's bytes name: "2.36" for GLIBC_2.36, which a C
/// library does of its own release and others of the one they need. Empty: none.
std::string newest_glibc(std::string_view binary);

/// Whether release `a` comes before `b`: "2.9" before "2.36". @pre both "N.N"
bool is_older(const std::string& a, const std::string& b);

/// One sentence each: the image's C library is for another machine than this one, where no metadata
/// tell; a library that a mount shows needs a newer glibc than the image has, or the image has no
/// glibc at all. `fd` is the image's, borrowed.
std::vector<std::string> library_warnings(const image_facts& image, int fd,
                                          const std::vector<container::bind>& mounts);

}  // namespace berth::cli
