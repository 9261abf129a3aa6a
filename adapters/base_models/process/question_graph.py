"""The ONNX graph by which a short question is embedded: 4-bit blocks, multiplied as such.

Of float32 weights a short question reads 85 MB for a few tokens, and waits for memory; of blocks it
reads 12 MB. The graph takes what the embedding table gives (1, n, hidden) and returns the mean of
the last layer's tokens (1, hidden), not normalised. It knows BERT's layers; it knows no file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from adapters.base_models.process.e5_file import BLOCK_WEIGHTS, Shape, Tensor

GRAPH_FILE = "question.onnx"
OPERATORS = {"": 17, "com.microsoft": 1}
"""LayerNormalization is of 17; attention and 4-bit blocks are ONNX Runtime's own."""
IR_VERSION = 8  # of operators 17
WITH_INT8 = 4  # `accuracy_level`: each row's blocks are rounded to int8 before they are multiplied
FLOAT = onnx.TensorProto.FLOAT


def question_graph(shape: Shape, epsilon: float, tensors: Mapping[str, Tensor]) -> bytes:
    """Return the graph as an ONNX file, the same bytes for the same weights."""
    graph = _Graph(tensors, epsilon)
    rows = "embeddings"
    for layer in range(shape.layers):
        rows = _layer(graph, f"l{layer}", rows, heads=shape.heads)
    graph.add("ReduceMean", [rows], into="vector", axes=[1], keepdims=0)
    made = helper.make_graph(
        graph.nodes,
        "question",
        [helper.make_tensor_value_info("embeddings", FLOAT, [1, "tokens", shape.hidden])],
        [helper.make_tensor_value_info("vector", FLOAT, [1, shape.hidden])],
        graph.constants,
    )
    imports = [helper.make_opsetid(domain, version) for domain, version in OPERATORS.items()]
    model = helper.make_model(made, opset_imports=imports, ir_version=IR_VERSION)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _layer(graph: "_Graph", name: str, rows: str, *, heads: int) -> str:
    heard = [graph.linear(rows, f"{name}.{part}") for part in "qkv"]
    attended = graph.own("MultiHeadAttention", heard, num_heads=heads)
    added = graph.add("Add", [graph.linear(attended, f"{name}.ao"), rows])
    rows = graph.normalised(added, f"{name}.aln")
    inner = graph.own("Gelu", [graph.linear(rows, f"{name}.fi")])
    added = graph.add("Add", [graph.linear(inner, f"{name}.fo"), rows])
    return graph.normalised(added, f"{name}.oln")


@dataclass
class _Graph:
    """Nodes and constants, in the order in which they were added."""

    tensors: Mapping[str, Tensor]
    epsilon: float
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def add(
        self, kind: str, inputs: list[str], *, domain: str = "", into: str = "", **settings: Any
    ) -> str:
        """Add a node and return the name of what it gives."""
        into = into or f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [into], domain=domain, **settings))
        return into

    def own(self, kind: str, inputs: list[str], **settings: Any) -> str:
        """Add a node of ONNX Runtime's own kind."""
        return self.add(kind, inputs, domain="com.microsoft", **settings)

    def constant(self, name: str, value: npt.NDArray[np.generic]) -> str:
        """Add a constant and return its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def linear(self, rows: str, name: str) -> str:
        """Add `rows @ weights.T + bias`."""
        weights, bias = self.tensors[f"{name}.w"], self.tensors[f"{name}.b"].weights()
        outputs = bias.size
        if weights.kind == 0:
            matrix = weights.weights().reshape(outputs, -1).T
            product = self.add("MatMul", [rows, self.constant(f"{name}.w", matrix)])
        else:
            scales, values = weights.blocks()
            pairs = (values[:, ::2] | values[:, 1::2] << 4).reshape(outputs, -1, BLOCK_WEIGHTS // 2)
            product = self.own(
                "MatMulNBits",
                [
                    rows,
                    self.constant(f"{name}.w", pairs),
                    self.constant(f"{name}.scales", scales.reshape(-1)),
                ],
                N=outputs,
                K=pairs.shape[1] * BLOCK_WEIGHTS,
                bits=4,
                block_size=BLOCK_WEIGHTS,
                accuracy_level=WITH_INT8,
            )
        return self.add("Add", [product, self.constant(f"{name}.b", bias)])

    def normalised(self, rows: str, name: str) -> str:
        """Add a layer norm."""
        scale, shift = (
            self.constant(f"{name}.{end}", self.tensors[f"{name}.{end}"].weights()) for end in "wb"
        )
        return self.add("LayerNormalization", [rows, scale, shift], axis=-1, epsilon=self.epsilon)
