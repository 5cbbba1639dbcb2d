#include "image/mpi.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.hpp"
#include "image/find.hpp"

namespace berth::image {
namespace {

constexpr std::array<std::string_view, 27> places{
    "/usr/lib/libmpi*.so*",
    "/usr/lib/libpmi*.so*",
    "/usr/lib/*/libmpi*.so*",
    "/usr/lib/*/libpmi*.so*",
    "/usr/lib/*/pmix*/lib/libpmi*.so*",
    "/usr/lib/*/openmpi/lib/openmpi*/mca_pmix_*.so",
    "/usr/lib/*/openmpi/lib/openmpi*/mca_btl_self.so",
    "/usr/lib64/libmpi*.so*",
    "/usr/lib64/libpmi*.so*",
    "/usr/lib64/*/lib/libmpi*.so*",
    "/usr/lib64/*/lib/libpmi*.so*",
    "/usr/lib64/openmpi/lib/openmpi*/mca_pmix_*.so",
    "/usr/lib64/openmpi/lib/openmpi*/mca_btl_self.so",
    "/usr/local/lib/libmpi*.so*",
    "/usr/local/lib/libpmi*.so*",
    "/usr/local/lib/openmpi*/mca_pmix_*.so",
    "/usr/local/lib/openmpi*/mca_btl_self.so",
    "/usr/local/*/lib/libmpi*.so*",
    "/usr/local/*/lib/libpmi*.so*",
    "/opt/*/lib/libmpi*.so*",
    "/opt/*/lib/libpmi*.so*",
    "/opt/*/lib/openmpi*/mca_pmix_*.so",
    "/opt/*/lib/openmpi*/mca_btl_self.so",
    "/opt/*/ompi/lib/libmpi*.so*",
    "/opt/intel/oneapi/mpi/*/lib/libmpi*.so*",
    "/opt/intel/oneapi/mpi/*/lib/release/libmpi*.so*",
    "/opt/intel/impi/*/intel64/lib/release/libmpi*.so*",
};

using numbers = std::vector<std::uint64_t>;

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// "libmpi.so.40.30.4" after "libmpi.so." -> {40, 30, 4}; at least two of them: the name with one
// is a link, or says too little.
std::optional<numbers> numbers_after(std::string_view name, std::string_view start) {
  if (!name.starts_with(start)) return std::nullopt;
  numbers found;
  for (const auto& piece : split(name.substr(start.size()), '.')) {
    const auto number = parse_unsigned(piece);
    if (!number) return std::nullopt;
    found.push_back(*number);
  }
  return found.size() < 2 ? std::nullopt : std::optional(found);
}

struct release {
  std::uint64_t first;  // this number of the library and those after it, up to the next row
  std::string_view version;
};

template <std::size_t N>
std::string release_of(const std::array<release, N>& table, std::uint64_t number) {
  std::string_view found;
  for (const auto& row : table) {
    if (row.first <= number) found = row.version;
  }
  return std::string(found);
}

std::string open_mpi_version(const numbers& so) {
  constexpr std::array<release, 5> of_40{
      {{0, "3.0"}, {10, "3.1"}, {20, "4.0"}, {30, "4.1"}, {40, "5.0"}}};
  constexpr std::array<release, 2> of_20{{{0, "2.0"}, {10, "2.1"}}};
  return so[0] == 20 ? release_of(of_20, so[1]) : release_of(of_40, so[1]);
}

std::string mpich_version(const numbers& so) {
  if (so[1] < 2) return so[1] == 0 ? "3.1" : "3";
  return fmt::format("4.{}", so[1] - 2);
}

std::string pmix_version(const numbers& so) {
  constexpr std::array<release, 5> of_23{
      {{3, "4.0"}, {5, "4.1"}, {6, "4.2"}, {13, "5.0"}, {18, "6.0"}}};
  constexpr std::array<release, 3> of_22{{{0, "3.0"}, {20, "3.1"}, {30, "3.2"}}};
  const auto last = so.size() > 2 ? so[2] : 0;
  if (so[1] == 0) return "1.2";
  if (so[1] == 2) return release_of(of_22, last);
  if (so[1] > 2) return release_of(of_23, so[1]);
  // Early ones of these two series cannot talk to other releases.
  if (last < 20) return fmt::format("2.{}.{}", last / 10, last % 10);
  return "2.2";
}

// Intel keeps the release in a folder's name: /opt/intel/oneapi/mpi/2021.10.0/lib.
std::string intel_version(std::string_view path) {
  for (const auto& part : split(path, '/')) {
    const bool plain = part.find_first_not_of("0123456789.") == std::string::npos;
    if (plain && part.starts_with("20")) return part;
  }
  return {};
}

bool has_sibling(const std::vector<std::string>& paths, std::string_view path,
                 std::string_view start) {
  const auto folder = path.substr(0, path.rfind('/') + 1);
  return std::any_of(paths.begin(), paths.end(), [&](std::string_view other) {
    return other.starts_with(folder) && file_name(other).starts_with(start);
  });
}

std::optional<mpi_library> library_at(const std::vector<std::string>& paths,
                                      const std::string& path) {
  const auto name = file_name(path);
  if (const auto so = numbers_after(name, "libmpich.so."); so && (*so)[0] == 12) {
    return mpi_library{mpi_kind::mpich, mpich_version(*so), path};
  }
  const auto so = numbers_after(name, "libmpi.so.");
  if (!so) return std::nullopt;
  if ((*so)[0] == 40 || (*so)[0] == 20) {
    return mpi_library{mpi_kind::open_mpi, open_mpi_version(*so), path};
  }
  if ((*so)[0] != 12) return std::nullopt;
  // Both have the common ABI's number; Intel alone ships a library of 64-bit integers.
  const bool intel = (*so)[1] == 0 && (path.find("/intel/") != std::string::npos ||
                                       has_sibling(paths, path, "libmpi_ilp64.so"));
  if (intel) return mpi_library{mpi_kind::intel, intel_version(path), path};
  return mpi_library{mpi_kind::mpich, mpich_version(*so), path};
}

// Open MPI 3 and 4 may carry a PMIx of their own in a plugin.
std::string embedded_pmix(std::string_view plugin, const std::vector<mpi_library>& libraries) {
  const auto has = [&](std::string_view version) {
    return std::any_of(libraries.begin(), libraries.end(), [&](const mpi_library& one) {
      return one.kind == mpi_kind::open_mpi && one.version == version;
    });
  };
  if (plugin == "mca_pmix_pmix3x.so") return has("4.1") ? "3.2" : "3.1";
  if (plugin == "mca_pmix_pmix2x.so") return has("3.1") ? "2.1.1" : "2.0.3";
  return plugin.starts_with("mca_pmix_pmix1") ? "1.2" : "";
}

void add_client(mpi_facts& facts, const std::string& path) {
  const auto name = file_name(path);
  if (const auto so = numbers_after(name, "libpmix.so."); so && (*so)[0] == 2) {
    // Debian's folder of the library and the link to it are one.
    const auto version = pmix_version(*so);
    const bool known = std::any_of(facts.pmix.begin(), facts.pmix.end(),
                                   [&](const pmix_client& one) { return one.version == version; });
    if (!known) facts.pmix.push_back({version, path});
  }
  if (const auto version = embedded_pmix(name, facts.libraries); !version.empty()) {
    facts.pmix.push_back({version, path});
  }
  if (name == "libpmi2.so.0") facts.pmi2 = path;
  if (name == "libpmi.so.0") facts.pmi1 = path;
  if (name.starts_with("mca_")) facts.open_mpi_plugins = true;
}

}  // namespace

std::string_view name_of(mpi_kind what) {
  constexpr std::array<std::string_view, 3> names{"Open MPI", "MPICH", "Intel MPI"};
  return names.at(static_cast<std::size_t>(what));
}

std::span<const std::string_view> mpi_places() {
  return places;
}

mpi_facts recognise_mpi(const std::vector<std::string>& paths) {
  mpi_facts facts;
  for (const auto& path : paths) {
    auto library = library_at(paths, path);
    if (!library) continue;
    const bool known =
        std::any_of(facts.libraries.begin(), facts.libraries.end(), [&](const mpi_library& one) {
          return one.kind == library->kind && one.version == library->version;
        });
    if (!known) facts.libraries.push_back(std::move(*library));
  }
  for (const auto& path : paths) add_client(facts, path);
  return facts;
}

result<mpi_facts> find_mpi(int fd, const std::string& path, const image_content& content) {
  const auto paths = find_files(fd, path, content, mpi_places());
  if (!paths) return failure(paths.error());
  return recognise_mpi(*paths);
}

}  // namespace berth::image
