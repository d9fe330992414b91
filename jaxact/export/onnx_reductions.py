"""JAX's reductions, pooling and cumulative operations in ONNX."""

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxact.export.onnx_graph import Graph, Unsupported

Rule = Callable[[Graph, Any], None]


def _reduction(kind: str) -> Rule:
    """The rule of a reduction over some axes."""

    def rule(graph: Graph, equation: Any) -> None:
        name = graph.tensor(equation.invars[0])
        axes = graph.ints(*equation.params["axes"])
        graph.bind(equation.outvars[0], graph.add(kind, name, axes, keepdims=0))

    return rule


def _pool(graph: Graph, equation: Any) -> None:
    """The maximum or the sum of each window over the axes between the first and the last."""
    params = equation.params
    source = equation.invars[0]
    window = params["window_dimensions"]
    dilations = (*params["base_dilation"], *params["window_dilation"])
    if window[0] != 1 or window[-1] != 1 or any(dilation != 1 for dilation in dilations):
        raise Unsupported("pooling over samples or channels, or a dilated one, has no rule")
    last = len(window) - 1
    name = graph.add("Transpose", graph.tensor(source), perm=[0, last, *range(1, last)])
    pads = params["padding"][1:-1]
    options: dict[str, Any] = {
        "kernel_shape": list(window[1:-1]),
        "strides": list(params["window_strides"][1:-1]),
        "pads": [low for low, _ in pads] + [high for _, high in pads],
    }
    if equation.primitive.name == "reduce_window_max":
        name = graph.add("MaxPool", name, **options)
    else:
        name = graph.add("AveragePool", name, count_include_pad=1, **options)
        name = graph.add("Mul", name, graph.constant(np.prod(window), source.aval.dtype))
    name = graph.add("Transpose", name, perm=[0, *range(2, last + 1), 1])
    graph.bind(equation.outvars[0], name)


def _cumulative_max(graph: Graph, equation: Any) -> None:
    """The maximum so far, over a triangular mask: ONNX has cumulative sums, but no maxima."""
    (source,) = equation.invars
    axis = equation.params["axis"]
    frames = source.aval.shape[axis]
    dtype = source.aval.dtype
    if not isinstance(frames, int) or equation.params["reverse"]:
        raise Unsupported("a reverse cumulative maximum, or of symbolic length, has no rule")
    lowest = -np.inf
    if not np.issubdtype(dtype, np.floating):
        lowest = np.iinfo(dtype).min
    trailing = (1,) * (source.aval.ndim - 1 - axis)
    mask = np.tril(np.ones((frames, frames), bool)).reshape(frames, frames, *trailing)
    name = graph.add("Unsqueeze", graph.tensor(source), graph.ints(axis))
    name = graph.add("Where", graph.constant(mask), name, graph.constant(lowest, dtype))
    name = graph.add("ReduceMax", name, graph.ints(axis + 1), keepdims=0)
    graph.bind(equation.outvars[0], name)


def _cumulative_sum(graph: Graph, equation: Any) -> None:
    axis = graph.constant(equation.params["axis"], np.int64)
    reverse = int(equation.params["reverse"])
    name = graph.add("CumSum", graph.tensor(equation.invars[0]), axis, reverse=reverse)
    graph.bind(equation.outvars[0], name)


RULES: dict[str, Rule] = {
    "reduce_sum": _reduction("ReduceSum"),
    "reduce_max": _reduction("ReduceMax"),
    "reduce_min": _reduction("ReduceMin"),
    "reduce_prod": _reduction("ReduceProd"),
    "reduce_window_max": _pool,
    "reduce_window_sum": _pool,
    "cummax": _cumulative_max,
    "cumsum": _cumulative_sum,
}
