"""JAX's gather and sort in ONNX."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxact.export.onnx_graph import Graph, Unsupported


def _gather(graph: Graph, equation: Any) -> None:
    """Gathers full slices at indices along one or several axes.

    The axes of the indices replace the indexed axes. Other gathers are `_window`.
    """
    (source, indices), (out,) = equation.invars, equation.outvars
    numbers = equation.params["dimension_numbers"]
    slice_sizes = list(equation.params["slice_sizes"])
    axes = list(numbers.start_index_map)
    batch = list(numbers.operand_batching_dims)
    shape = source.aval.shape
    rest = [axis for axis in range(source.aval.ndim) if axis not in (*axes, *batch)]
    full = all(slice_sizes[axis] == shape[axis] for axis in rest)
    if not full or any(slice_sizes[axis] != 1 for axis in axes):
        return _window(graph, equation, axes)
    name = graph.add("Transpose", graph.tensor(source), perm=[*batch, *axes, *rest])
    leading = indices.aval.ndim - 1
    index_axes = list(numbers.start_indices_batching_dims)
    index_axes += [axis for axis in range(leading) if axis not in index_axes]
    index = graph.cast(graph.tensor(indices), np.int64)
    index = graph.add("Transpose", index, perm=[*index_axes, leading])
    name = graph.add("GatherND", name, index, batch_dims=len(batch))
    # Now the axes of the indices come first, then the rest. Indexed axes that the output keeps,
    # with size one, are put in their order among the rest.
    unit_axes = [axis for axis in axes if axis not in numbers.collapsed_slice_dims]
    slice_axes = sorted([*rest, *unit_axes])
    if unit_axes:
        positions = [leading + slice_axes.index(axis) for axis in unit_axes]
        name = graph.add("Unsqueeze", name, graph.ints(*positions))
    offsets = list(numbers.offset_dims)
    others = [axis for axis in range(out.aval.ndim) if axis not in offsets]
    permutation = [0] * out.aval.ndim
    for number, axis in enumerate(others):
        permutation[axis] = index_axes.index(number)
    for number, axis in enumerate(offsets):
        permutation[axis] = leading + number
    graph.bind(out, graph.add("Transpose", name, perm=permutation))


def _window(graph: Graph, equation: Any, axes: Sequence[int]) -> None:
    """Gathers one window whose start is known at run time only."""
    (source, indices), (out,) = equation.invars, equation.outvars
    sizes = equation.params["slice_sizes"]
    numbers = equation.params["dimension_numbers"]
    if indices.aval.ndim != 1 or numbers.operand_batching_dims:
        raise Unsupported("a gather of several windows has no rule")
    start = graph.cast(graph.tensor(indices), np.int64)
    end = graph.add("Add", start, graph.sizes([sizes[axis] for axis in axes]))
    name = graph.tensor(source)
    for axis, size in enumerate(source.aval.shape):
        if axis not in axes and sizes[axis] != size:
            raise Unsupported("a gather of parts of other axes has no rule")
    name = graph.add("Slice", name, start, end, graph.ints(*axes))
    graph.bind(out, graph.reshape(name, out.aval.shape))


def _sort(graph: Graph, equation: Any) -> None:
    """Sorts by the first operand; the others follow it. Equal elements keep their order."""
    axis = equation.params["dimension"]
    size = equation.invars[0].aval.shape[axis]
    if equation.params["num_keys"] != 1:
        raise Unsupported("sorting by several keys has no rule")
    keys, *others = map(graph.tensor, equation.invars)
    values, indices = graph.add("TopK", keys, graph.size(size), axis=axis, largest=0, outputs=2)
    graph.bind(equation.outvars[0], values)
    for variable, name in zip(equation.outvars[1:], others, strict=True):
        graph.bind(variable, graph.add("GatherElements", name, indices, axis=axis))


RULES: dict[str, Callable[[Graph, Any], None]] = {"gather": _gather, "sort": _sort}
