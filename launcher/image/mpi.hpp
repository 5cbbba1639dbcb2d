#pragma once
// Which MPI an image brings, and which client of a resource manager: told by the names of its
// libraries alone, so nothing of the image is run and hardly anything is read.
//
// The releases behind the numbers of a library are those of the projects' own sources: Open MPI's
// and OpenPMIx' files VERSION, MPICH's maint/version.m4.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "image/kind.hpp"

namespace berth::image {

enum class mpi_kind { open_mpi, mpich, intel };

/// "Open MPI", "MPICH", "Intel MPI"
std::string_view name_of(mpi_kind what);

struct mpi_library {
  mpi_kind kind = mpi_kind::open_mpi;
  std::string version;  ///< as far as the name tells: "4.1"; empty: unknown
  std::string path;     ///< in the image
};

struct pmix_client {
  std::string version;  ///< "4.2"; with its third number where it matters: "2.0.1", "2.1.0"
  std::string path;
};

struct mpi_facts {
  std::vector<mpi_library> libraries;
  std::vector<pmix_client> pmix;
  std::string pmi2;               ///< path of Slurm's libpmi2.so; empty: not there
  std::string pmi1;               ///< path of libpmi.so; likewise
  bool open_mpi_plugins = false;  ///< Open MPI's parts are files of their own, not in the library
};

/// Where MPI libraries are by convention: Debian's and Red Hat's folders, /usr/local, /opt, Intel's
/// and NVIDIA's. For find_files.
std::span<const std::string_view> mpi_places();

/// What those paths say. Other paths are left out.
mpi_facts recognise_mpi(const std::vector<std::string>& paths);

/// Both together. Errors of find_files.
result<mpi_facts> find_mpi(int fd, const std::string& path, const image_content& content);

}  // namespace berth::image
