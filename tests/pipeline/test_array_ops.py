"""Array operations: NumPy's outcome is TensorFlow's, in value and dtype, and tensors take
TensorFlow's way.
"""

import inspect

import numpy as np
import pytest
import tensorflow as tf

from jaxact.pipeline import array_ops as ops

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(4, 3, 2)).astype(np.float32)
Y = RANDOM.normal(size=(4, 3, 2)).astype(np.float32)
TIES = np.array([[2, 1, 2, 0], [1, 1, 1, 1]], np.int32)
MANY_TIES = RANDOM.integers(0, 3, 500).astype(np.float32)
EVEN = np.array([-1.5, -0.5, 0.5, 1.5, 2.5, 0.49], np.float32)
TRUE = X > 0
INDEX = np.array([[0, 2, 1, 2], [1, 1, 0, 0]], np.int32)
PAIRS = np.array([[0, 1], [3, 2]], np.int64)
ROW, VECTORS = X[0, 0], X[1:3, :, 0]

# name of the operation, arguments, options
CASES = [
    ("constant", (X,), {}),
    ("zeros_like", (TRUE,), {}),
    ("diag", (ROW,), {}),
    ("range", (np.int32(5),), {}),
    ("range", (np.int32(5),), {"dtype": np.float32}),
    ("shape", (X,), {}),
    ("size", (X,), {}),
    ("cast", (TRUE, np.float32), {}),
    ("cast", (EVEN, np.int32), {}),
    ("identity", (X,), {}),
    ("ensure_shape", (X, (4, None, 2)), {}),
    ("reshape", (X, [-1, 2]), {}),
    ("reshape", (X, [np.int32(4), -1]), {}),
    ("transpose", (X,), {}),
    ("transpose", (X, [1, 0, 2]), {}),
    ("stack", ([X, Y],), {}),
    ("stack", ([X, Y],), {"axis": 1}),
    ("stack", ([np.int32(3), -1],), {}),
    ("unstack", (X,), {}),
    ("concat", ([X, Y],), {"axis": -1}),
    ("split", (X, 2), {"axis": 0}),
    ("pad", (X, [[0, 1], [2, 0], [0, 0]]), {}),
    ("pad", (TRUE, [[0, np.int32(2)], [0, 0], [0, 0]]), {}),
    ("roll", (X, -1), {"axis": 1}),
    ("reverse", (X,), {"axis": [2]}),
    ("gather", (X, [2, 0, 0]), {}),
    ("gather", (X, np.int64(2)), {}),
    ("gather", (X, INDEX), {"axis": 1}),
    ("gather", (TIES, INDEX), {"batch_dims": 1}),
    ("gather", (X[:2], INDEX[:, :2]), {"axis": 1, "batch_dims": 1}),
    ("gather_nd", (X, PAIRS), {}),
    ("tensor_scatter_nd_update", (X, PAIRS, Y[:2, 0]), {}),
    ("unique", (np.array([7, 3, 7, 9, 3, 1]),), {}),
    ("where", (TRUE,), {}),
    ("where", (TRUE, X, Y), {}),
    ("where", (TRUE, X, 0.0), {}),
    ("where", (TRUE, 1, 0), {}),
    ("where", (TRUE[0, 0], [1, 0], [0, 1]), {}),
    ("where", (np.True_, 3, np.int32(4)), {}),
    ("argsort", (TIES,), {}),
    ("argsort", (TIES,), {"direction": "DESCENDING", "stable": True}),
    ("argsort", (TIES,), {"axis": 0, "stable": True}),
    ("argsort", (X,), {"axis": 1, "direction": "DESCENDING"}),
    ("argsort", (MANY_TIES,), {"direction": "DESCENDING", "stable": True}),
    ("argmax", (X,), {}),
    ("argmax", (TRUE[:, 0, 0],), {"output_type": np.int32}),
    ("argmax", (TIES,), {"axis": 1}),
    ("searchsorted", (np.array([0.1, 0.4, 0.4, 2.0], np.float32), EVEN), {}),
    ("reduce_sum", (X,), {"axis": (0, 2)}),
    ("reduce_sum", (TIES,), {}),
    ("reduce_mean", (X,), {"axis": (0, 2)}),
    ("reduce_min", (X,), {"axis": 1}),
    ("reduce_max", (TIES,), {}),
    ("reduce_any", (TRUE,), {"axis": (1, 2)}),
    ("reduce_all", (TRUE,), {"axis": -1, "keepdims": True}),
    ("cumsum", (TIES[0],), {}),
    ("is_finite", (np.array([0, np.nan, np.inf], np.float32),), {}),
    ("abs", (X,), {}),
    ("round", (EVEN,), {}),
    ("floor", (EVEN,), {}),
    ("ceil", (EVEN,), {}),
    ("sqrt", (X**2,), {}),
    ("square", (X,), {}),
    ("minimum", (X, 0.5), {}),
    ("maximum", (TIES, 1), {}),
    ("clip_by_value", (X, 0.25, 0.5), {}),
    ("divide_no_nan", (X, np.where(TRUE, Y, np.float32(0))), {}),
    ("divide_no_nan", (np.float32(2), np.float32(0)), {}),
    ("matmul", (X, Y), {"transpose_b": True}),
    ("matmul", (X, np.eye(2, dtype=np.float32)), {}),
    ("einsum", ("abc,dc->abd", X, ROW[None]), {}),
    ("matvec", (X[:2, :2], ROW), {}),
    ("cross", (VECTORS[0], VECTORS[1]), {}),
    ("norm", (ROW,), {}),
]


def tensors(argument):
    if isinstance(argument, (np.ndarray, np.generic)):
        return tf.constant(argument)
    return [tensors(part) for part in argument] if isinstance(argument, list) else argument


def parts(outcome):
    return list(outcome) if isinstance(outcome, (list, tuple)) else [outcome]


@pytest.mark.parametrize(
    ("name", "arguments", "options"), CASES, ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)]
)
def test_numpy_computes_what_tensorflow_does(name, arguments, options):
    function = getattr(ops, name)
    numpy_parts = parts(function(*arguments, **options))
    tensorflow_parts = parts(function(*map(tensors, arguments), **options))
    assert len(numpy_parts) == len(tensorflow_parts)
    for numpy_part, tensorflow_part in zip(numpy_parts, tensorflow_parts, strict=True):
        assert isinstance(numpy_part, (np.ndarray, np.generic)) and tf.is_tensor(tensorflow_part)
        assert (
            numpy_part.dtype == tensorflow_part.dtype.as_numpy_dtype
            and numpy_part.shape == tensorflow_part.shape
        )
        np.testing.assert_allclose(numpy_part, tensorflow_part.numpy(), rtol=1e-6, atol=1e-7)


def test_every_operation_has_a_case():
    functions = {
        name for name, _ in inspect.getmembers(ops, inspect.isfunction) if not name.startswith("_")
    }
    elsewhere = {"zeros", "eye", "linspace", "stateless_uniform", "cond", "scan"}
    elsewhere |= {"as_array", "as_operands", "dispatch"}
    assert functions - elsewhere == {name for name, *_ in CASES}


def test_python_numbers_alone_become_numpy_arrays_of_tensorflows_dtypes():
    arrays = [
        ops.zeros([2, 3]),
        ops.eye(3),
        ops.constant([1.0, 2.0]),
        ops.diag([1.0, 0.5]),
        ops.linspace(0.0, 1.0, 4),
    ]
    assert all(isinstance(array, np.ndarray) and array.dtype == np.float32 for array in arrays)
    whole = [
        ops.constant([1, 2]),
        ops.range(4),
        ops.maximum(1, 2),
        ops.stack([1, 2]),
        ops.where(TRUE, 1, 2),
    ]
    assert all(array.dtype == np.int32 for array in whole)
    assert ops.constant([255, 1], np.int64).dtype == np.int64


@pytest.mark.parametrize("count", [1, 2, 3, 10, 64, 299])
@pytest.mark.parametrize("ends", [(0.0, 1.0), (0.3, 7.7)])
def test_even_places_agree_in_every_bit(count, ends):
    assert ops.linspace(*ends, count).tobytes() == tf.linspace(*ends, count).numpy().tobytes()


def test_a_tensor_anywhere_leads_to_tensorflow():
    tensor = tf.constant(2)
    for outcome in (
        ops.zeros([tensor, 3]),
        ops.pad(X, [[0, tensor], [0, 0], [0, 0]]),
        ops.stack([1, tensor]),
        ops.where(TRUE[0, 0, 0], 1, tensor),
        ops.gather(params=X, indices=tensor),
        ops.stateless_uniform([tensor], np.array([0, 1])),
        ops.cond(tf.constant(True), lambda: tensor, lambda: tensor),
    ):
        assert tf.is_tensor(outcome)


def test_a_scan_collects_the_states():
    def step(state, element):
        total, count = state
        return total + element, count + 1

    values = np.arange(1, 5, dtype=np.int32)
    numpy_parts = ops.scan(step, values, (np.int32(0), np.int32(0)))
    tensorflow_parts = ops.scan(step, tf.constant(values), (tf.constant(0), tf.constant(0)))
    for numpy_part, tensorflow_part in zip(numpy_parts, tensorflow_parts, strict=True):
        np.testing.assert_array_equal(numpy_part, tensorflow_part.numpy())
    assert numpy_parts[0].tolist() == [1, 3, 6, 10]


def test_a_choice_of_branches_runs_one():
    assert ops.cond(np.True_, lambda: "yes", lambda: 1 / 0) == "yes"
    assert ops.cond(np.False_, lambda: 1 / 0, lambda: "no") == "no"


def test_no_argument_is_changed():
    original = X.copy()
    ops.tensor_scatter_nd_update(X, PAIRS, Y[:2, 0])
    ops.pad(X, [[0, 0]] * 3)[...] = 0
    np.testing.assert_array_equal(X, original)


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (None, None)])
def test_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"an array has the shape \(4, 3, 2\), wanted"):
        ops.ensure_shape(X, shape)
