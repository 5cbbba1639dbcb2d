#include "train/origin.hpp"

#include <cblas.h>
#include <fmt/format.h>
#include <hdf5.h>

#include <array>
#include <set>

#include "common/collective.hpp"
#include "common/placement.hpp"
#include "common/program.hpp"
#include "data/digest.hpp"

namespace berth::apps {

namespace {

std::vector<std::string> library_versions() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> mpi{};
  int length = 0;
  MPI_Get_library_version(mpi.data(), &length);
  std::string_view mpi_text(mpi.data());
  return {fmt::format("Berth {}", version()), fmt::format("HDF5 {}.{}.{}", major, minor, release),
          std::string(mpi_text.substr(0, mpi_text.find(','))), openblas_get_config()};
}

}  // namespace

std::string command_line(int argc, const char* const* argv) {
  std::string line;
  for (int i = 0; i < argc; ++i) {
    const std::string word(argv[i]);
    const bool plain =
        !word.empty() && word.find_first_of(" \t\n'\"\\$&|;<>()*?[]#~`!{}") == std::string::npos;
    line += i > 0 ? " " : "";
    if (plain) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

result<std::string> digest_text(const std::string& path) {
  auto digest = digest_of(path);
  if (!digest) return pass(std::move(digest));
  return fmt::format("{}-{:016x}", digest->bytes, digest->hash);
}

result<model_origin> describe_origin(const communicator& comm, const std::string& command,
                                     const std::vector<std::string>& files) {
  model_origin origin;
  auto ok = on_root(comm, [&]() -> result<void> {
    for (const auto& path : files) {
      auto digest = digest_text(path);
      if (!digest) return pass(std::move(digest));
      origin.digests.push_back(std::move(*digest));
    }
    return {};
  });
  if (!ok) return pass(std::move(ok));
  const auto hosts = comm.gather(my_placement().host);
  origin.hosts = static_cast<int>(std::set<std::string>(hosts.begin(), hosts.end()).size());
  origin.files = files;
  origin.versions = library_versions();
  origin.command = command;
  return origin;
}

}  // namespace berth::apps
