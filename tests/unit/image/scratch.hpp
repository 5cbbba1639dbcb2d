#pragma once
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace berth::image {

/// A folder of its own for one test, removed at its end.
class scratch {
 public:
  scratch() {
    auto pattern = (std::filesystem::temp_directory_path() / "berth-image-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~scratch() { std::filesystem::remove_all(path_); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ / name; }
  std::string write(const std::string& name, std::string_view content) const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace berth::image
