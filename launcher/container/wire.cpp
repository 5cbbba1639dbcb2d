#include "container/wire.hpp"

namespace berth::container {
namespace {

template <class Integer>
void append(std::string& bytes, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    bytes.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
  }
}

template <class Integer>
Integer assemble(std::string_view bytes) {
  Integer value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value |= static_cast<Integer>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return value;
}

}  // namespace

void wire_writer::u32(std::uint32_t value) {
  append(bytes_, value);
}
void wire_writer::u64(std::uint64_t value) {
  append(bytes_, value);
}

void wire_writer::text(std::string_view value) {
  u32(static_cast<std::uint32_t>(value.size()));
  bytes_.append(value);
}

void wire_writer::texts(const std::vector<std::string>& values) {
  u32(static_cast<std::uint32_t>(values.size()));
  for (const auto& value : values) text(value);
}

void wire_writer::numbers(const std::vector<std::uint32_t>& values) {
  u32(static_cast<std::uint32_t>(values.size()));
  for (const auto value : values) u32(value);
}

std::string_view wire_reader::take(std::size_t count) {
  if (broken_ || count > rest_.size()) {
    broken_ = true;
    return {};
  }
  const auto piece = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return piece;
}

std::uint32_t wire_reader::u32() {
  return assemble<std::uint32_t>(take(4));
}
std::uint64_t wire_reader::u64() {
  return assemble<std::uint64_t>(take(8));
}
std::string wire_reader::text() {
  return std::string(take(u32()));
}

std::vector<std::string> wire_reader::texts() {
  std::vector<std::string> values;
  for (auto count = u32(); count > 0 && !broken_; --count) values.push_back(text());
  return values;
}

std::vector<std::uint32_t> wire_reader::numbers() {
  std::vector<std::uint32_t> values;
  for (auto count = u32(); count > 0 && !broken_; --count) values.push_back(u32());
  return values;
}

result<void> wire_reader::finish() const {
  if (broken_) return fail("message is too short");
  if (!rest_.empty()) return fail("message is too long");
  return {};
}

}  // namespace berth::container
