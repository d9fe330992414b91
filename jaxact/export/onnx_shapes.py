"""JAX primitives in ONNX that change an array's shape, or join and split arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxact.export.onnx_graph import Graph, Unsupported


def _identity(graph: Graph, equation: Any) -> None:
    for source, out in zip(equation.invars, equation.outvars, strict=True):
        graph.bind(out, graph.tensor(source))


def _reshape(graph: Graph, equation: Any) -> None:
    (out,) = equation.outvars
    graph.bind(out, graph.reshape(graph.tensor(equation.invars[0]), out.aval.shape))


def _broadcast(graph: Graph, equation: Any) -> None:
    """Adds axes of size one; the operator that reads the tensor broadcasts them."""
    source = equation.invars[0]
    (out,) = equation.outvars
    axes = equation.params["broadcast_dimensions"]
    name = graph.tensor(source)
    new_axes = [axis for axis in range(out.aval.ndim) if axis not in axes]
    if new_axes:
        name = graph.add("Unsqueeze", name, graph.ints(*new_axes))
    shape = [1] * out.aval.ndim
    for axis, size in zip(axes, source.aval.shape, strict=True):
        shape[axis] = size
    graph.bind(out, name, broadcast=shape != list(out.aval.shape))


def _transpose(graph: Graph, equation: Any) -> None:
    permutation = list(equation.params["permutation"])
    name = graph.add("Transpose", graph.tensor(equation.invars[0]), perm=permutation)
    graph.bind(equation.outvars[0], name)


def _concatenate(graph: Graph, equation: Any) -> None:
    names = [graph.tensor(variable) for variable in equation.invars]
    graph.bind(equation.outvars[0], graph.add("Concat", *names, axis=equation.params["dimension"]))


def _stack(graph: Graph, equation: Any) -> None:
    axis = equation.params["axis"]
    names = []
    for variable in equation.invars:
        names.append(graph.add("Unsqueeze", graph.tensor(variable), graph.ints(axis)))
    graph.bind(equation.outvars[0], graph.add("Concat", *names, axis=axis))


def _split(graph: Graph, equation: Any) -> None:
    name = graph.tensor(equation.invars[0])
    sizes = graph.ints(*map(int, equation.params["sizes"]))
    outputs = len(equation.outvars)
    names = graph.add("Split", name, sizes, axis=equation.params["axis"], outputs=outputs)
    if outputs == 1:
        names = [names]
    for variable, part in zip(equation.outvars, names, strict=True):
        graph.bind(variable, part)


def _pad(graph: Graph, equation: Any) -> None:
    source, value = equation.invars
    low, high, interior = zip(*equation.params["padding_config"], strict=True)
    if any(interior):
        raise Unsupported("padding between elements has no rule")
    if min(*low, *high, 0) < 0:
        raise Unsupported("negative padding has no rule")
    name = graph.tensor(source)
    pads = graph.sizes([*low, *high])
    name = graph.add("Pad", name, pads, graph.broadcastable(value))
    graph.bind(equation.outvars[0], name)


def _slice(graph: Graph, equation: Any) -> None:
    params = equation.params
    starts = params["start_indices"]
    steps = params["strides"] or (1,) * len(starts)
    name = graph.tensor(equation.invars[0])
    axes = graph.ints(*range(len(starts)))
    name = graph.add(
        "Slice",
        name,
        graph.sizes(starts),
        graph.sizes(params["limit_indices"]),
        axes,
        graph.ints(*steps),
    )
    graph.bind(equation.outvars[0], name)


def _reverse(graph: Graph, equation: Any) -> None:
    axes = equation.params["dimensions"]
    last = graph.ints(*[-1] * len(axes))
    before_first = graph.ints(*[np.iinfo(np.int64).min] * len(axes))
    name = graph.tensor(equation.invars[0])
    name = graph.add("Slice", name, last, before_first, graph.ints(*axes), last)
    graph.bind(equation.outvars[0], name)


def _iota(graph: Graph, equation: Any) -> None:
    (out,) = equation.outvars
    axis = equation.params["dimension"]
    end = graph.add("Squeeze", graph.size(out.aval.shape[axis]))
    start = graph.constant(0, np.int64)
    numbers = graph.add("Range", start, end, graph.constant(1, np.int64))
    name = graph.cast(numbers, out.aval.dtype)
    other_axes = [other for other in range(out.aval.ndim) if other != axis]
    if other_axes:
        name = graph.add("Unsqueeze", name, graph.ints(*other_axes))
    graph.bind(out, name, broadcast=bool(other_axes))


def _size(graph: Graph, equation: Any) -> None:
    (out,) = equation.outvars
    name = graph.add("Squeeze", graph.size(equation.params["dim"]))
    graph.bind(out, graph.cast(name, out.aval.dtype))


RULES: dict[str, Callable[[Graph, Any], None]] = {
    "stop_gradient": _identity,
    "copy": _identity,
    "optimization_barrier": _identity,
    "reshape": _reshape,
    "squeeze": _reshape,
    "broadcast_in_dim": _broadcast,
    "transpose": _transpose,
    "concatenate": _concatenate,
    "stack": _stack,
    "split": _split,
    "pad": _pad,
    "slice": _slice,
    "rev": _reverse,
    "iota": _iota,
    "dim_as_value": _size,
}
