"""Random variables and inputs of networks, drawn with NumPy so that XLA compiles nothing for
them.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxact.skeletons.layout import Layout

LEGS = (
    Layout(  # five joints: Flax walks over every number of an adjacency whenever it makes a module
        "legs",
        ("hip", "left", "right", "foot", "toe"),
        ((1, 0), (2, 0), (3, 1), (4, 2)),
        ((0, 0), (1, 0), (2, 0), (3, 1), (4, 2)),
        0,
    )
)
AROUND_ONE = ("scale", "gamma", "var", "variance", "importance")  # endings of names


def random_array(*shape: int, seed: int = 0) -> jax.Array:
    """Standard normal numbers of this shape, float32; what `jax.random.normal` would compile a
    program for.
    """
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def random_variables(
    model: Any,
    *inputs: Any,
    seed: int = 0,
    gain: float = 1.0,
    constants: Mapping[str, float] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """All variables of a Flax module, random, without running its initialisers.

    `model.init` compiles every primitive of the network separately when it runs eagerly, and the
    whole network under `jax.jit`. Here it is only traced for the shapes, which costs a small part
    of that. The values are not those of the initialisers: no bias is zero, no scale and no variance
    is one, so that a test which compares with a loop covers them all. Use `init` where a test is
    about how weights start.

    The last part of a variable's path decides how its values are drawn:

    - names that end in scale, gamma, var, variance or importance: uniform between 0.5 and 1.5;
    - other vectors and scalars, such as biases and running means: normal, deviation 0.2;
    - all others, such as kernels: normal, variance gain^2 / fan-in, where the fan-in is the
      product of all axes but the last;
    - integers, such as step counters: zero.

    Args:
        model: the module.
        *inputs: arguments of `model.init` after the key: arrays or `jax.ShapeDtypeStruct`.
        seed: of the numbers; the same seed gives the same variables.
        gain: of the kernels; above one where their leading axes are no inputs of a sum, such as a
          kernel for each joint.
        constants: one value for all variables of a name instead, by name: `{"importance": 1.0,
          "alpha": 0.0}`.
        **options: keyword arguments of `model.init` that are not arrays: `train=True`,
          `decode=True`, `method="embed"`.

    Returns:
        The collections that `model.init` returns, as arrays of its dtypes.
    """
    shapes = jax.eval_shape(lambda *args: model.init(jax.random.key(0), *args, **options), *inputs)
    return fill(shapes, seed=seed, gain=gain, constants=constants)


def fill(
    shapes: Any, *, seed: int = 0, gain: float = 1.0, constants: Mapping[str, float] | None = None
) -> Any:
    """A tree of `jax.ShapeDtypeStruct`, filled as `random_variables` describes."""
    random, fixed = np.random.default_rng(seed), constants or {}

    def draw(path: Any, leaf: Any) -> jax.Array:
        name = str(getattr(path[-1], "key", path[-1]))
        if name in fixed:
            values = np.full(leaf.shape, fixed[name])
        elif not jnp.issubdtype(leaf.dtype, jnp.floating):
            values = np.zeros(leaf.shape)
        elif name.endswith(AROUND_ONE):
            values = random.uniform(0.5, 1.5, leaf.shape)
        elif leaf.ndim < 2:
            values = random.normal(0, 0.2, leaf.shape)
        else:
            values = random.normal(0, gain * np.prod(leaf.shape[:-1]) ** -0.5, leaf.shape)
        return jnp.asarray(values.astype(leaf.dtype))  # cast by NumPy: no program is compiled

    return jax.tree_util.tree_map_with_path(draw, shapes)


def filled(shapes):
    """Random variables of these shapes: near one for factors, near zero for the others."""
    random = np.random.default_rng(0)

    def fill(path, leaf):
        around = float(path[-1].key in ("scale", "var", "importance"))
        return jnp.asarray(around + 0.1 * random.standard_normal(leaf.shape), jnp.float32)

    return jax.tree_util.tree_map_with_path(fill, shapes)
