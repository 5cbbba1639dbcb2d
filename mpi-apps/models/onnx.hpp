#pragma once
// Linear predictors as ONNX graphs in float64. ONNX-ML has operators for regression, but they keep
// coefficients as float32; MatMul, Add and Sigmoid take doubles.

#include <string>
#include <utility>
#include <vector>

namespace berth::apps {

/// outputs = inputs * weights + constants, and 1 / (1 + exp(-.)) of that where it is a probability.
struct onnx_affine {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::vector<double> weights;    // row-major [inputs x outputs]
  std::vector<double> constants;  // [outputs]
  bool is_probability = false;
  std::string name;                                        // of the graph
  std::string producer_version;                            // of "berth"
  std::vector<std::pair<std::string, std::string>> notes;  // metadata: key, text
};

/// A model in ONNX's format: input "X" double [rows x inputs], output "prediction" or "probability"
/// double [rows x outputs]. IR version 7, operator set 13: what runtimes since 2020 read. At most
/// 2 GiB, as all protocol buffers.
/// Source: onnx.proto of ONNX 1.12; protobuf.dev, Encoding: a message is a list of fields, each a
/// number 8 * field + kind (0: varint, 2: length and bytes) and its value.
std::string onnx_model(const onnx_affine& graph);

}  // namespace berth::apps
