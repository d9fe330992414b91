"""Every rule says in ONNX what JAX computes, at sizes that are known at run time only."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export as jax_export

from jaxact.export.onnx_graph import OPSET, Graph, Unsupported
from jaxact.export.onnx_operators import RULES

onnxruntime = pytest.importorskip("onnxruntime")


def converted(function, axes="n, t, 4"):
    """The function's ONNX graph at symbolic sizes, as onnxruntime runs it."""
    shape = jax_export.symbolic_shape(
        axes, constraints=[f"{name} >= 2" for name in ("n", "t") if name in axes]
    )
    return runnable(jax.make_jaxpr(function)(jax.ShapeDtypeStruct(shape, np.float32)), shape)


def runnable(program, shape):
    """The ONNX graph of a program of one argument of this shape, as onnxruntime runs it."""
    from onnx import TensorProto, helper, numpy_helper

    graph = Graph(RULES)
    for axis, size in enumerate(shape):
        if not isinstance(size, int):
            graph.origin(str(size), "x", axis)
    (out,) = graph.run(program, ["x"])
    graph.nodes.append(helper.make_node("Cast", [out], ["y"], to=TensorProto.FLOAT))
    inside = helper.make_graph(
        graph.nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None] * len(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
    )
    model = helper.make_model(inside, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return lambda clips: session.run(["y"], {"x": clips})[0]


def elementwise(x):
    return (
        jnp.atan2(x, jnp.flip(x, 1))
        + jnp.expm1(x) * jnp.sign(x)
        - jax.nn.relu(x) / (1 + jnp.square(x))
    )


FUNCTIONS = {
    "elementwise": elementwise,
    "angles": lambda x: jnp.arctan2(jnp.maximum(x, 0), jnp.minimum(x, 0))
    + jnp.arctan2(-jnp.maximum(x, 0), x),
    "choices": lambda x: jnp.where((x > 0) & ~(x >= 1) | (x != x), x, -x) + (x < 0.5) * 2.0 + x**3,
    "integers": lambda x: x * (jnp.arange(x.shape[1]) % 3)[None, :, None] + x.shape[0],
    "softmax": lambda x: jax.nn.log_softmax(x, axis=1) + jax.nn.sigmoid(x),
    "products": lambda x: jnp.einsum("ntc,nsc->nts", x, x @ jnp.ones((4, 4))),
    "shapes": lambda x: jnp.stack([x, x[:, ::-1]], 2)
    .transpose(0, 2, 1, 3)
    .reshape(2 * x.shape[0], -1, 2),
    "parts": lambda x: jnp.concatenate(
        [part[:, 1:] for part in jnp.split(x, [1, 3], axis=2)[:2]], axis=2
    ),
    "every other frame": lambda x: x[:, ::2],
    "padded": lambda x: jnp.pad(x, ((0, 0), (1, 2), (0, 0)), constant_values=3.0)[:, -2:],
    "taken": lambda x: x[:, :, np.array([3, 0, 3])] + x[:, -1:, :1] + x[:1, :1, 2:3],
    "taken along": lambda x: jnp.take_along_axis(x, jnp.argsort(x, axis=2)[:, :, :2], axis=2),
    "sorted": lambda x: jnp.sort(x, axis=2)
    + jnp.max(x, axis=1, keepdims=True)
    + jnp.sum(x)
    - jnp.min(x),
    "running": lambda x: jax.lax.cummax(x, axis=2)
    + jnp.cumsum(x, axis=1)
    + jnp.cumsum(x, axis=1)[:, ::-1],
    "loop": lambda x: jax.lax.scan(
        lambda s, y: (s * 0.5 + y, s + x[:, 0]), x[:, 0], x.swapaxes(0, 1)
    )[1],
    "backwards": lambda x: jax.lax.scan(
        lambda s, y: (s + y, s * y), x[:, 0], x.swapaxes(0, 1), reverse=True
    )[1],
    "mapped": lambda x: jax.lax.map(lambda y: y * 2 + x.shape[1], x),
    "convolved": lambda x: jax.lax.conv_general_dilated(
        x[:, None], np.arange(24, dtype="f").reshape(1, 3, 2, 4) / 9, (1, 2), ((0, 0), (1, 1)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=2,
    ),
    "pooled": lambda x: jax.lax.reduce_window(
        x, -np.inf, jax.lax.max, (1, 3, 1), (1, 2, 1), ((0, 0), (1, 1), (0, 0))
    )
    + jax.lax.reduce_window(x, 0.0, jax.lax.add, (1, 3, 1), (1, 2, 1), ((0, 0), (1, 1), (0, 0))),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_graph_answers_as_jax_does(name):
    graph, compiled = converted(FUNCTIONS[name]), jax.jit(FUNCTIONS[name])
    for shape in ((2, 5, 4), (3, 6, 4)):
        clips = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        expected, actual = np.asarray(compiled(clips), np.float32), graph(clips)
        assert actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, rtol=2e-5, atol=2e-6)


def parts_of(program):
    """What a program consists of, but for its constants."""
    jaxpr = getattr(program, "jaxpr", program)
    return {name: getattr(jaxpr, name) for name in ("constvars", "invars", "eqns", "outvars")}


def with_counts(program):
    """A scan's parameters as JAX 0.10 writes them: numbers, and a program that wraps one without
    constants.
    """
    bare = SimpleNamespace(**parts_of(program))
    return {
        "num_consts": 2,
        "num_carry": 1,
        "jaxpr": SimpleNamespace(jaxpr=bare, consts=program.consts),
    }


def with_trees(program):
    """A scan's parameters as JAX 0.12 writes them: trees, and a program that holds its
    constants.
    """
    trees = {"ft_in": ((None, None), (None,), ((None, None),)), "ft_out": ((None,), (None,))}
    return {**trees, "jaxpr": SimpleNamespace(**parts_of(program), consts=program.consts)}


def rewritten(equation, parameters):
    """A scan with other parameters; any other equation as it is."""
    if equation.primitive.name != "scan":
        return equation
    return SimpleNamespace(
        primitive=equation.primitive,
        invars=equation.invars,
        outvars=equation.outvars,
        params={"reverse": equation.params["reverse"], **parameters(equation.params["jaxpr"])},
    )


@pytest.mark.parametrize("parameters", [with_counts, with_trees])
def test_a_scan_is_read_in_the_form_of_either_jax(parameters):
    def loop(x):
        first, last, frames = x[:, 0], x[:, -1], x.swapaxes(0, 1)
        step = lambda state, frame: (state * first + last, state + frame[0] * frame[1])  # noqa: E731
        return jax.lax.scan(step, first, (frames, frames + 1))[1]

    clips = np.random.default_rng(0).standard_normal((2, 5, 4)).astype(np.float32)
    program = jax.make_jaxpr(loop)(clips)
    parts = parts_of(program)
    parts["eqns"] = [rewritten(equation, parameters) for equation in parts["eqns"]]
    actual = runnable(SimpleNamespace(**parts, consts=program.consts), clips.shape)(clips)
    np.testing.assert_allclose(actual, np.asarray(loop(clips)), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: jnp.linalg.qr(x)[0], "the primitive '.*' has no rule; there are abs, "),
        (
            lambda x: jax.lax.pad(x, 0.0, ((0, 0, 0), (0, 0, 1), (0, 0, 0))),
            "padding between elements has no rule",
        ),
    ],
)
def test_what_has_no_rule_is_named(function, message):
    with pytest.raises(Unsupported, match=message):
        converted(function, "2, 2, 4")
