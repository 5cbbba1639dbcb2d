"""Runs an ONNX graph of MatMul, Add and Sigmoid in NumPy and prints its output, one row a line.

Usage: check_onnx.py MODEL.onnx DATA.h5. The graph must pass ONNX's own checker, hold float64 alone,
and name the features of the data in its metadata.
"""
import json
import sys

import h5py
import numpy as np
import onnx
from onnx import numpy_helper

model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
assert all(t.data_type == onnx.TensorProto.DOUBLE for t in model.graph.initializer)
notes = {each.key: each.value for each in model.metadata_props}
with h5py.File(sys.argv[2]) as data:
    names = list(data["X"].attrs["feature_names"])
    columns = [names.index(each) for each in json.loads(notes["feature_names"])]
    values = {"X": data["X"][:][:, columns]}
values.update({t.name: numpy_helper.to_array(t) for t in model.graph.initializer})
operators = {
    "MatMul": np.matmul,
    "Add": np.add,
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}
for node in model.graph.node:
    values[node.output[0]] = operators[node.op_type](*(values[name] for name in node.input))
result = values[model.graph.output[0].name]
assert result.dtype == np.float64
for row in result:
    print(" ".join(repr(float(each)) for each in row))
