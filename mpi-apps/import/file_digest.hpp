#pragma once
// SHA-256 of a file, computed by a thread of its own while the file is imported.

#include <string>
#include <thread>

#include "common/error.hpp"

namespace berth::apps {

class file_digest {
 public:
  /// Starts at once.
  explicit file_digest(std::string path);
  /// Ends early when nobody asked for the result.
  ~file_digest() = default;
  file_digest(const file_digest&) = delete;
  file_digest& operator=(const file_digest&) = delete;

  /// Waits for the end: 64 hexadecimal digits, as sha256sum prints them.
  result<std::string> get();

 private:
  void compute(const std::stop_token& stop);
  std::string path_;
  result<std::string> digest_;
  std::jthread worker_;
};

}  // namespace berth::apps
