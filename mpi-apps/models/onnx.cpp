#include "models/onnx.hpp"

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>

namespace berth::apps {

namespace {

constexpr int type_double = 11;  // TensorProto.DataType
constexpr int ir_version = 7;
constexpr int operator_set = 13;

class message {
 public:
  message& number(int field, std::uint64_t value) {
    varint(static_cast<std::uint64_t>(field) << 3);
    varint(value);
    return *this;
  }
  message& bytes(int field, std::string_view value) {
    varint(static_cast<std::uint64_t>(field) << 3 | 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  message& part(int field, const message& value) { return bytes(field, value.bytes_); }
  [[nodiscard]] std::string take() && { return std::move(bytes_); }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }
  std::string bytes_;
};

message tensor(std::string_view name, const std::vector<std::size_t>& shape,
               std::span<const double> values) {
  static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");
  message made;
  for (const std::size_t extent : shape) made.number(1, extent);
  made.number(2, type_double).bytes(8, name);
  const auto raw = std::as_bytes(values);
  return made.bytes(9, {reinterpret_cast<const char*>(raw.data()), raw.size()});
}

// [rows x width], any number of rows.
message rows_of(std::string_view name, std::size_t width) {
  const auto shape =
      message().part(1, message().bytes(2, "rows")).part(1, message().number(1, width));
  const auto type = message().part(1, message().number(1, type_double).part(2, shape));
  return message().bytes(1, name).part(2, type);
}

message node(std::string_view operation, std::initializer_list<std::string_view> inputs,
             std::string_view output) {
  message made;
  for (const auto input : inputs) made.bytes(1, input);
  return made.bytes(2, output).bytes(3, operation).bytes(4, operation);
}

message graph_of(const onnx_affine& affine) {
  const bool squash = affine.is_probability;
  const std::string_view result = squash ? "probability" : "prediction";
  message made;
  made.part(1, node("MatMul", {"X", "coefficients"}, "terms"));
  made.part(1, node("Add", {"terms", "intercept"}, squash ? "log_odds" : result));
  if (squash) made.part(1, node("Sigmoid", {"log_odds"}, result));
  made.bytes(2, affine.name);
  made.part(5, tensor("coefficients", {affine.inputs, affine.outputs}, affine.weights));
  made.part(5, tensor("intercept", {affine.outputs}, affine.constants));
  made.part(11, rows_of("X", affine.inputs));
  return made.part(12, rows_of(result, affine.outputs));
}

}  // namespace

std::string onnx_model(const onnx_affine& graph) {
  message made;
  made.number(1, ir_version).bytes(2, "berth").bytes(3, graph.producer_version);
  made.part(7, graph_of(graph));
  made.part(8, message().bytes(1, "").number(2, operator_set));
  for (const auto& [key, text] : graph.notes) {
    made.part(14, message().bytes(1, key).bytes(2, text));
  }
  return std::move(made).take();
}

}  // namespace berth::apps
