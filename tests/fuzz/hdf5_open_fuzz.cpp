#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "common/hdf5_attributes.hpp"
#include "data/panel_source.hpp"

using namespace berth::apps;

namespace {

// Sixty rows in chunks with two filters, beside a contiguous target: small, so that most bytes mean
// something.
std::string sound_file() {
  prepare_hdf5();
  std::string path = "/tmp/hdf5_open_fuzz-XXXXXX";
  ::close(::mkstemp(path.data()));
  {
    const hdf5_file file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    const hsize_t extent[] = {60, 3};
    const hsize_t chunk[] = {25, 2};
    const hdf5_space space(H5Screate_simple(2, extent, nullptr));
    const hdf5_properties creation(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_chunk(creation.get(), 2, chunk);
    H5Pset_shuffle(creation.get());
    H5Pset_deflate(creation.get(), 1);
    const hdf5_dataset x(H5Dcreate2(file.get(), "X", H5T_IEEE_F64LE, space.get(), H5P_DEFAULT,
                                    creation.get(), H5P_DEFAULT));
    const std::vector<double> values(180, 0.5);
    H5Dwrite(x.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    if (!write_doubles(file.get(), "y", {60}, std::vector<double>(60, 1))) std::abort();
  }
  std::ifstream in(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  ::unlink(path.c_str());
  return bytes;
}

}  // namespace

// HDF5 itself loses memory when it gives up on some damaged files.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libhdf5";
}

// The input says which bytes of a sound file to change: three bytes each, place and value. What
// opens must keep the promises of its header, and reading it must end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string sound = sound_file();
  std::string bytes = sound;
  for (std::size_t at = 0; at + 3 <= size; at += 3) {
    bytes[(data[at] + 256U * data[at + 1]) % bytes.size()] = static_cast<char>(data[at + 2]);
  }
  const int fd = ::memfd_create("fuzz", MFD_CLOEXEC);
  if (fd < 0 || ::write(fd, bytes.data(), bytes.size()) < 0) std::abort();
  const auto opened = open_dataset("/proc/self/fd/" + std::to_string(fd));
  constexpr std::int64_t cells = 100'000;
  if (opened && opened->info.rows <= cells / opened->info.features) {
    if (std::ssize(opened->info.names) != opened->info.features) std::abort();
    auto source = panel_source<double>::open(*opened, {1 << 20, 1, true, true});
    panel<double> rows;
    if (source && source->fill({0, opened->info.rows}, rows) &&
        std::ssize(rows.x) != opened->info.rows * opened->info.features) {
      std::abort();
    }
  }
  ::close(fd);
  return 0;
}
