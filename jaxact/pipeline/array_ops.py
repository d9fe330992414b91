"""Array operations on tensors and on NumPy arrays, with TensorFlow's names and semantics.

The functions of the pipeline are written once. Inside tf.data they get tensors and build a
TensorFlow graph. In prediction they get NumPy arrays, and TensorFlow need not be installed. If an
argument is a tensor, an operation is TensorFlow's own. Otherwise it computes the same in NumPy, in
float32 and int32. From Python numbers alone it makes NumPy arrays, which tensors accept in
arithmetic.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxact.pipeline import philox
from jaxact.pipeline.array_dispatch import Array, as_array, as_operands, dispatch

# Creation.

zeros_like = dispatch("zeros_like")(np.zeros_like)


@dispatch("constant")
def constant(value: Any, dtype: Any = None) -> Array:
    if dtype is None:
        return as_array(value)
    return np.asarray(value, dtype)


@dispatch("zeros")
def zeros(shape: Any) -> Array:
    return np.zeros(shape, np.float32)


@dispatch("eye")
def eye(num_rows: int) -> Array:
    return np.eye(num_rows, dtype=np.float32)


@dispatch("linalg.diag")
def diag(diagonal: Any) -> Array:
    return np.diag(as_array(diagonal))


@dispatch("range")
def range(limit: Any, dtype: Any = np.int32) -> Array:
    return np.arange(limit, dtype=dtype)


@dispatch("linspace")
def linspace(start: Any, stop: Any, num: int) -> Array:
    """Computes in float32 and in TensorFlow's order, so that every bit agrees."""
    start, stop = np.float32(start), np.float32(stop)
    steps = max(num - 1, 1)
    inner = start + (stop - start) / np.float32(steps) * np.arange(1, steps, dtype=np.float32)
    return np.concatenate([[start], inner, [stop]])[:num].astype(np.float32)


@dispatch("random.stateless_uniform")
def stateless_uniform(shape: Sequence[int], seed: Any) -> Array:
    """Uniform in [0, 1). Only training draws other ranges and integers, always in TensorFlow."""
    return philox.stateless_uniform(shape, seed)


# Shapes and dtypes.


@dispatch("shape")
def shape(input: Any) -> Array:
    return np.array(np.shape(input), np.int32)


@dispatch("size")
def size(input: Any) -> Array:
    return np.int32(np.size(input))


@dispatch("cast")
def cast(x: Any, dtype: Any) -> Array:
    return np.asarray(x).astype(dtype)


@dispatch("identity")
def identity(input: Any) -> Array:
    return input


@dispatch("ensure_shape")
def ensure_shape(x: Any, shape: Sequence[int | None]) -> Array:
    """Raises ValueError for another shape; None stands for any size."""
    sizes = tuple(shape)
    same_sizes = all(new in (None, old) for old, new in zip(x.shape, sizes, strict=False))
    if len(sizes) != x.ndim or not same_sizes:
        raise ValueError(f"an array has the shape {x.shape}, wanted {sizes}")
    return x


@dispatch("reshape")
def reshape(tensor: Any, shape: Any) -> Array:
    return np.reshape(tensor, tuple(shape))


@dispatch("transpose")
def transpose(a: Any, perm: Sequence[int] | None = None) -> Array:
    return np.transpose(a, perm)


# Parts of arrays.

roll = dispatch("roll")(np.roll)
split = dispatch("split")(np.split)


@dispatch("stack")
def stack(values: Sequence[Any], axis: int = 0) -> Array:
    return np.stack([as_array(value) for value in values], axis)


@dispatch("unstack")
def unstack(value: Any) -> list[Array]:
    return list(value)


@dispatch("concat")
def concat(values: Sequence[Any], axis: int) -> Array:
    return np.concatenate([as_array(value) for value in values], axis)


@dispatch("pad")
def pad(tensor: Any, paddings: Any) -> Array:
    # `np.pad` is several times slower on small arrays, of which a video stream pads many.
    paddings = np.asarray(paddings)
    padded = np.zeros(np.add(tensor.shape, paddings.sum(axis=1)), tensor.dtype)
    inner = [
        slice(start, start + size) for start, size in zip(paddings[:, 0], tensor.shape, strict=True)
    ]
    padded[tuple(inner)] = tensor
    return padded


@dispatch("reverse")
def reverse(tensor: Any, axis: Sequence[int]) -> Array:
    return np.flip(tensor, tuple(axis))


@dispatch("gather")
def gather(params: Any, indices: Any, axis: int | None = None, batch_dims: int = 0) -> Array:
    """With `batch_dims` 1, which is then also the axis, each row has its own indices."""
    if batch_dims == 0:
        return np.take(params, indices, axis or 0)
    assert batch_dims == 1 and axis in (None, 1)
    return params[np.arange(len(params))[:, None], indices]


@dispatch("gather_nd")
def gather_nd(params: Any, indices: Any) -> Array:
    return params[tuple(indices.T)]


@dispatch("tensor_scatter_nd_update")
def tensor_scatter_nd_update(tensor: Any, indices: Any, updates: Any) -> Array:
    updated = tensor.copy()
    updated[tuple(indices.T)] = updates
    return updated


@dispatch("unique")
def unique(x: Any) -> tuple[Array, Array]:
    """The values in order of first appearance, and the index of each element's value."""
    _, first, inverse = np.unique(x, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order))
    return x[first[order]], rank[inverse]


# Choices.


@dispatch("where")
def where(condition: Any, x: Any = None, y: Any = None) -> Array:
    """Elements of `x` or `y`; without them, the indices of the true elements."""
    if x is None:
        return np.argwhere(condition)
    return np.where(condition, *as_operands(x, y))


@dispatch("cond")
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    return true_fn() if pred else false_fn()


@dispatch("scan")
def scan(fn: Callable, elems: Any, initializer: Any) -> tuple[Array, ...]:
    """The states, each a tuple, after every element."""
    state = initializer
    states = []
    for element in elems:
        state = fn(state, element)
        states.append(state)
    return tuple(np.stack(parts) for parts in zip(*states, strict=True))


@dispatch("argsort")
def argsort(
    values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False
) -> Array:
    """Equal values keep their order whatever `stable` is, as in TensorFlow."""
    keys = -values if direction == "DESCENDING" else values
    return np.argsort(keys, axis, kind="stable").astype(np.int32)


@dispatch("argmax")
def argmax(input: Any, axis: int = 0, output_type: Any = np.int64) -> Array:
    return np.asarray(np.argmax(input, axis)).astype(output_type)


@dispatch("searchsorted")
def searchsorted(sorted_sequence: Any, values: Any) -> Array:
    return np.searchsorted(sorted_sequence, values).astype(np.int32)


# Reductions.

reduce_any = dispatch("reduce_any")(np.any)
reduce_max = dispatch("reduce_max")(np.max)
reduce_mean = dispatch("reduce_mean")(np.mean)
reduce_min = dispatch("reduce_min")(np.min)


@dispatch("reduce_sum")
def reduce_sum(input_tensor: Any, axis: Any = None) -> Array:
    return np.sum(input_tensor, axis, dtype=input_tensor.dtype)


@dispatch("reduce_all")
def reduce_all(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Array:
    return np.all(input_tensor, axis, keepdims=keepdims)


@dispatch("cumsum")
def cumsum(x: Any) -> Array:
    return np.cumsum(x, dtype=x.dtype)


# Elementwise operations.

abs = dispatch("abs")(np.abs)
ceil = dispatch("math.ceil")(np.ceil)
floor = dispatch("floor")(np.floor)
is_finite = dispatch("math.is_finite")(np.isfinite)
round = dispatch("round")(np.round)  # halves go to the even neighbour
sqrt = dispatch("sqrt")(np.sqrt)
square = dispatch("square")(np.square)


@dispatch("minimum")
def minimum(x: Any, y: Any) -> Array:
    return np.minimum(*as_operands(x, y))


@dispatch("maximum")
def maximum(x: Any, y: Any) -> Array:
    return np.maximum(*as_operands(x, y))


@dispatch("clip_by_value")
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any) -> Array:
    return np.maximum(np.minimum(t, clip_value_max), clip_value_min)


@dispatch("math.divide_no_nan")
def divide_no_nan(x: Any, y: Any) -> Array:
    """x / y, and 0 where y is 0."""
    is_zero = y == 0
    divisor = np.where(is_zero, np.ones_like(y), y)
    return np.where(is_zero, np.zeros_like(y), x / divisor)


# Linear algebra.

cross = dispatch("linalg.cross")(np.cross)
einsum = dispatch("einsum")(np.einsum)
matvec = dispatch("linalg.matvec")(np.matmul)


@dispatch("matmul")
def matmul(a: Any, b: Any, transpose_b: bool = False) -> Array:
    if transpose_b:
        b = np.swapaxes(b, -1, -2)
    return np.matmul(a, b)


@dispatch("norm")
def norm(tensor: Any) -> Array:
    return np.sqrt(np.sum(tensor * tensor))
