"""Array operations on TensorFlow tensors and on NumPy arrays, with TensorFlow's names and meanings.

The functions of the pipeline are written once. Inside tf.data they are given tensors and build a
TensorFlow graph; in prediction they are given NumPy arrays, and TensorFlow need not be installed.
Every operation here looks at its arguments: with a tensor among them it is TensorFlow's own, else
it computes the same in NumPy, in float32 and int32. Of Python numbers alone it makes NumPy arrays,
which tensors accept in arithmetic.

This module never imports TensorFlow: where no module has, no argument is a tensor.
"""

import functools
import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxact.pipeline import philox

Array = Any  # an np.ndarray or a tf.Tensor, in annotations such as Float[Array, "t m v c"]

_DEFAULTS = {np.dtype(np.int64): np.int32, np.dtype(np.float64): np.float32}


def tensorflow_of(*arguments: Any) -> Any:
    """The module tensorflow if an argument, or an element of a list, is a tensor; else None."""
    tf = sys.modules.get("tensorflow")
    if tf is None or not _holds_tensor(tf.is_tensor, arguments):
        return None
    return tf


def _holds_tensor(is_tensor: Callable[[Any], bool], arguments: Any) -> bool:
    for argument in arguments:
        if isinstance(argument, (list, tuple)):
            if _holds_tensor(is_tensor, argument):
                return True
        elif is_tensor(argument):
            return True
    return False


def _operation(name: str) -> Callable[[Callable], Callable]:
    """Makes a NumPy function dispatch to TensorFlow's function `name` where a tensor is given."""
    of_tensorflow = operator.attrgetter(name)

    def decorate(of_numpy: Callable) -> Callable:
        @functools.wraps(of_numpy)
        def dispatch(*arguments: Any, **options: Any) -> Any:
            tf = tensorflow_of(arguments, tuple(options.values()))
            function = of_numpy if tf is None else of_tensorflow(tf)
            return function(*arguments, **options)

        return dispatch

    return decorate


def _array(value: Any) -> Any:
    """An array with TensorFlow's dtypes for Python numbers: int32 and float32."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value
    array = np.asarray(value)
    return array.astype(_DEFAULTS.get(array.dtype, array.dtype))


def _arrays(*values: Any) -> tuple[Any, ...]:
    """Operands: Python numbers stay as they are beside an array, whose dtype they then take."""
    if any(isinstance(value, (np.ndarray, np.generic)) for value in values):
        return values
    return tuple(_array(value) for value in values)


# Creation.


@_operation("constant")
def constant(value: Any, dtype: Any = None) -> Array:
    return _array(value) if dtype is None else np.asarray(value, dtype)


@_operation("zeros")
def zeros(shape: Any) -> Array:
    return np.zeros(shape, np.float32)


@_operation("zeros_like")
def zeros_like(input: Any) -> Array:
    return np.zeros_like(input)


@_operation("eye")
def eye(num_rows: int) -> Array:
    return np.eye(num_rows, dtype=np.float32)


@_operation("linalg.diag")
def diag(diagonal: Any) -> Array:
    return np.diag(_array(diagonal))


@_operation("range")
def range(limit: Any, dtype: Any = np.int32) -> Array:
    return np.arange(limit, dtype=dtype)


@_operation("linspace")
def linspace(start: Any, stop: Any, num: int) -> Array:
    """In float32 and in TensorFlow's order, so that every bit agrees."""
    start, stop = np.float32(start), np.float32(stop)
    steps = max(num - 1, 1)
    inner = start + (stop - start) / np.float32(steps) * np.arange(1, steps, dtype=np.float32)
    return np.concatenate([[start], inner, [stop]])[:num].astype(np.float32)


@_operation("random.stateless_uniform")
def stateless_uniform(shape: Sequence[int], seed: Any) -> Array:
    """Uniform in [0, 1). Other ranges and integers are drawn in training only, by TensorFlow."""
    return philox.stateless_uniform(shape, seed)


# Shapes and dtypes.


@_operation("shape")
def shape(input: Any) -> Array:
    return np.array(np.shape(input), np.int32)


@_operation("size")
def size(input: Any) -> Array:
    return np.int32(np.size(input))


@_operation("cast")
def cast(x: Any, dtype: Any) -> Array:
    return np.asarray(x).astype(dtype)


@_operation("identity")
def identity(input: Any) -> Array:
    return input


@_operation("ensure_shape")
def ensure_shape(x: Any, shape: Sequence[int | None]) -> Array:
    """Raises ValueError where a size is another one; None stands for any."""
    wanted = tuple(shape)
    fits = len(wanted) == x.ndim
    if not fits or any(b not in (None, a) for a, b in zip(x.shape, wanted, strict=True)):
        raise ValueError(f"an array has the shape {x.shape}, wanted {wanted}")
    return x


@_operation("reshape")
def reshape(tensor: Any, shape: Any) -> Array:
    return np.reshape(tensor, tuple(shape))


@_operation("transpose")
def transpose(a: Any, perm: Sequence[int] | None = None) -> Array:
    return np.transpose(a, perm)


# Parts of arrays.


@_operation("stack")
def stack(values: Sequence[Any], axis: int = 0) -> Array:
    return np.stack([_array(value) for value in values], axis)


@_operation("unstack")
def unstack(value: Any) -> list[Array]:
    return list(value)


@_operation("concat")
def concat(values: Sequence[Any], axis: int) -> Array:
    return np.concatenate([_array(value) for value in values], axis)


@_operation("split")
def split(value: Any, num_or_size_splits: int, axis: int = 0) -> list[Array]:
    return np.split(value, num_or_size_splits, axis)


@_operation("pad")
def pad(tensor: Any, paddings: Any) -> Array:
    return np.pad(tensor, np.asarray(paddings))


@_operation("roll")
def roll(input: Any, shift: int, axis: int) -> Array:
    return np.roll(input, shift, axis)


@_operation("reverse")
def reverse(tensor: Any, axis: Sequence[int]) -> Array:
    return np.flip(tensor, tuple(axis))


@_operation("gather")
def gather(params: Any, indices: Any, axis: int | None = None, batch_dims: int = 0) -> Array:
    """With `batch_dims` 1, which is then the axis too, each row has indices of its own."""
    if batch_dims == 0:
        return np.take(params, indices, axis or 0)
    assert batch_dims == 1 and axis in (None, 1)
    return params[np.arange(len(params))[:, None], indices]


@_operation("gather_nd")
def gather_nd(params: Any, indices: Any) -> Array:
    return params[tuple(indices.T)]


@_operation("tensor_scatter_nd_update")
def tensor_scatter_nd_update(tensor: Any, indices: Any, updates: Any) -> Array:
    updated = tensor.copy()
    updated[tuple(indices.T)] = updates
    return updated


@_operation("unique")
def unique(x: Any) -> tuple[Array, Array]:
    """The values in the order of their first appearance, and the number of each element's."""
    _, first, numbers = np.unique(x, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order))
    return x[first[order]], rank[numbers]


# Choices.


@_operation("where")
def where(condition: Any, x: Any = None, y: Any = None) -> Array:
    """Elements of `x` or `y`; without them the indices of the true elements."""
    if x is None:
        return np.argwhere(condition)
    return np.where(condition, *_arrays(x, y))


@_operation("cond")
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    return true_fn() if pred else false_fn()


@_operation("scan")
def scan(fn: Callable, elems: Any, initializer: Any) -> tuple[Array, ...]:
    """The states, each a tuple, after every element."""
    state, states = initializer, []
    for element in elems:
        state = fn(state, element)
        states.append(state)
    return tuple(np.stack(parts) for parts in zip(*states, strict=True))


@_operation("argsort")
def argsort(
    values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False
) -> Array:
    """Equal values keep their order, as TensorFlow's do, whatever `stable` is."""
    keys = -values if direction == "DESCENDING" else values
    return np.argsort(keys, axis, kind="stable").astype(np.int32)


@_operation("argmax")
def argmax(input: Any, axis: int = 0, output_type: Any = np.int64) -> Array:
    return np.asarray(np.argmax(input, axis)).astype(output_type)


@_operation("searchsorted")
def searchsorted(sorted_sequence: Any, values: Any) -> Array:
    return np.searchsorted(sorted_sequence, values).astype(np.int32)


# Sums and other reductions.


@_operation("reduce_sum")
def reduce_sum(input_tensor: Any, axis: Any = None) -> Array:
    return np.sum(input_tensor, axis, dtype=input_tensor.dtype)


@_operation("reduce_mean")
def reduce_mean(input_tensor: Any, axis: Any = None) -> Array:
    return np.mean(input_tensor, axis)


@_operation("reduce_min")
def reduce_min(input_tensor: Any, axis: Any = None) -> Array:
    return np.min(input_tensor, axis)


@_operation("reduce_max")
def reduce_max(input_tensor: Any, axis: Any = None) -> Array:
    return np.max(input_tensor, axis)


@_operation("reduce_any")
def reduce_any(input_tensor: Any, axis: Any = None) -> Array:
    return np.any(input_tensor, axis)


@_operation("reduce_all")
def reduce_all(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Array:
    return np.all(input_tensor, axis, keepdims=keepdims)


@_operation("cumsum")
def cumsum(x: Any) -> Array:
    return np.cumsum(x, dtype=x.dtype)


# Elements.


@_operation("math.is_finite")
def is_finite(x: Any) -> Array:
    return np.isfinite(x)


@_operation("abs")
def abs(x: Any) -> Array:
    return np.abs(x)


@_operation("round")
def round(x: Any) -> Array:
    """Halves go to the even neighbour."""
    return np.round(x)


@_operation("floor")
def floor(x: Any) -> Array:
    return np.floor(x)


@_operation("math.ceil")
def ceil(x: Any) -> Array:
    return np.ceil(x)


@_operation("sqrt")
def sqrt(x: Any) -> Array:
    return np.sqrt(x)


@_operation("square")
def square(x: Any) -> Array:
    return np.square(x)


@_operation("minimum")
def minimum(x: Any, y: Any) -> Array:
    return np.minimum(*_arrays(x, y))


@_operation("maximum")
def maximum(x: Any, y: Any) -> Array:
    return np.maximum(*_arrays(x, y))


@_operation("clip_by_value")
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any) -> Array:
    return np.maximum(np.minimum(t, clip_value_max), clip_value_min)


@_operation("math.divide_no_nan")
def divide_no_nan(x: Any, y: Any) -> Array:
    """x / y, and 0 where y is 0."""
    zero = y == 0
    return np.where(zero, np.zeros_like(y), x / np.where(zero, np.ones_like(y), y))


# Linear algebra.


@_operation("matmul")
def matmul(a: Any, b: Any, transpose_b: bool = False) -> Array:
    return np.matmul(a, np.swapaxes(b, -1, -2) if transpose_b else b)


@_operation("linalg.matvec")
def matvec(a: Any, b: Any) -> Array:
    return np.matmul(a, b)


@_operation("linalg.cross")
def cross(a: Any, b: Any) -> Array:
    return np.cross(a, b)


@_operation("norm")
def norm(tensor: Any) -> Array:
    return np.sqrt(np.sum(tensor * tensor))
