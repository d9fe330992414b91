"""The ONNX rules of JAX primitives.

A rule takes the graph and an equation, adds nodes, and binds the equation's outputs to tensors.
"""

from collections.abc import Callable
from typing import Any

from jaxact.export import (
    onnx_control_flow,
    onnx_elementwise,
    onnx_gather,
    onnx_linear_algebra,
    onnx_reductions,
    onnx_shapes,
)
from jaxact.export.onnx_graph import Graph

RULES: dict[str, Callable[[Graph, Any], None]] = {
    **onnx_elementwise.RULES,
    **onnx_shapes.RULES,
    **onnx_gather.RULES,
    **onnx_linear_algebra.RULES,
    **onnx_reductions.RULES,
    **onnx_control_flow.RULES,
}
