#pragma once
// SHA-256, by which the node cache names what it holds.

#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace berth::image {

class sha256 {
 public:
  sha256();
  void add(std::string_view bytes);
  /// 64 lower-case hexadecimal digits; nothing may be added afterwards.
  std::string hex();

 private:
  struct deleter {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, deleter> context_;
};

/// Of an open file from its start, whatever its offset. `fd` is borrowed.
result<std::string> sha256_of(int fd);

}  // namespace berth::image
