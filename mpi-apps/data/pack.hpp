#pragma once
// Structs as bytes, to be sent to other ranks in one broadcast. Both sides are the same program.

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

namespace berth::apps {

/// Appends values; unpacker takes them in the same order.
class packer {
 public:
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void put(const T& value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void put(const std::string& text) {
    put(text.size());
    bytes_ += text;
  }
  template <class T>
  void put(const std::vector<T>& values) {
    put(values.size());
    for (const auto& each : values) put(each);
  }

  [[nodiscard]] std::string take() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// @pre the bytes are from a packer that put values of the same types in the same order
class unpacker {
 public:
  explicit unpacker(std::string bytes) : bytes_(std::move(bytes)) {}

  template <class T>
  requires std::is_trivially_copyable_v<T>
  void get(T& value) {
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
  }
  void get(std::string& text) {
    std::size_t size = 0;
    get(size);
    text = bytes_.substr(at_, size);
    at_ += size;
  }
  template <class T>
  void get(std::vector<T>& values) {
    std::size_t size = 0;
    get(size);
    values.resize(size);
    for (auto& each : values) get(each);
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

}  // namespace berth::apps
