#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "common/hdf5.hpp"
#include "models/model_file.hpp"

using namespace berth::apps;

namespace {

// A model with every part: two targets, an aliased coefficient, sums and origin.
model sound_model() {
  model made;
  made.targets = {{"cost", {{intercept_name, 1, 2}, {"a", 3, 4}, {"b", 0, 0}}, {{"r2", 0.5}}},
                  {"time", {{intercept_name, 5, 6}, {"a", 7, 8}, {"b", 0, 0}}, {{"r2", 0.25}}}};
  for (auto& target : made.targets) target.coefficients[2].is_aliased = true;
  made.rows = 9;
  made.data = "d.h5";
  made.references = {"kind=b"};
  made.covariance_root.assign(9, 0.5);
  made.solution.path = "exact";
  gram_pass sums{make_gram({2, 2, true}, std::vector<double>(5, 1)), 8};
  sums.gram.rows = 9;
  for (std::size_t i = 0; i < 5; ++i) sums.gram.set(i, i, 2);
  sums.gram.turnover.assign(5, 3);
  made.sums = std::make_shared<const gram_pass>(sums);
  made.origin = {{"d.h5"}, {"12-00ff"}, {"Berth 1"}, "train linear d.h5", 2};
  return made;
}

std::string sound_file() {
  prepare_hdf5();
  std::string path = "/tmp/model_fuzz-XXXXXX";
  ::close(::mkstemp(path.data()));
  if (!write_model(path, sound_model())) std::abort();
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

// The input says which bytes of a sound model to change: three bytes each, place and value. What is
// read must keep the promises of its header.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string sound = sound_file();
  std::string bytes = sound;
  for (std::size_t at = 0; at + 3 <= size; at += 3) {
    bytes[(data[at] + 256U * data[at + 1]) % bytes.size()] = static_cast<char>(data[at + 2]);
  }
  const int fd = ::memfd_create("fuzz", MFD_CLOEXEC);
  if (fd < 0 || ::write(fd, bytes.data(), bytes.size()) < 0) std::abort();
  const auto read = read_model("/proc/self/fd/" + std::to_string(fd));
  if (read) {
    const auto count = read->targets.at(0).coefficients.size();
    for (const auto& target : read->targets) {
      if (target.coefficients.size() != count) std::abort();
      for (const auto& each : target.coefficients) {
        if (!std::isfinite(each.estimate)) std::abort();
      }
    }
    if (read->sums && read->sums->gram.scale.size() != count + read->targets.size()) std::abort();
  } else if (read.error().text().find('\n') != std::string::npos) {
    std::abort();
  }
  ::close(fd);
  return 0;
}
