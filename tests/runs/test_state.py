"""The initial state: one program computes what its parts compute, and a step may donate copies."""

import flax.linen as nn
import jax
import numpy as np
import optax

from jaxact.runs import sharding, state

EXAMPLE = jax.ShapeDtypeStruct((1, 4), np.float32)


class Network(nn.Module):
    """Two layers, of which the first is frozen."""

    @nn.compact
    def __call__(self, inputs, train=False):
        return nn.Dense(2, name="head")(nn.Dense(3, name="stem")(inputs))

    def frozen(self, params):
        """True for the stem's arrays."""
        return {
            "stem": jax.tree.map(lambda _: True, params["stem"]),
            "head": jax.tree.map(lambda _: False, params["head"]),
        }


def test_the_initial_state_is_that_of_the_model_and_of_the_optimizer():
    tx = optax.adam(0.1)
    initial = state.create(Network(), EXAMPLE, tx, seed=3, ema=True)
    params = state.init(Network(), EXAMPLE, 3)["params"]
    jax.tree.map(np.testing.assert_array_equal, initial.params, params)
    jax.tree.map(np.testing.assert_array_equal, initial.ema, params)
    trained, fixed = state.split(params, state.frozen_mask(Network(), params))
    assert trained["stem"] == {"kernel": None, "bias": None} == fixed["head"]
    jax.tree.map(np.testing.assert_array_equal, initial.opt_state, tx.init(trained))
    assert initial.step == 0 and initial.batch_stats == {}


def test_a_donated_copy_leaves_the_original_alone():
    params = state.init(Network(), EXAMPLE, 0)["params"]
    original = jax.tree.map(np.array, params)
    for devices in (1, 4):
        copies = sharding.make_placement(devices=devices).replicate(params)
        double = jax.jit(lambda tree: jax.tree.map(lambda x: x * 2, tree), donate_argnums=0)
        doubled = double(copies)
        jax.tree.map(np.testing.assert_array_equal, params, original)
        jax.tree.map(lambda a, b: np.testing.assert_array_equal(a, 2 * b), doubled, original)
