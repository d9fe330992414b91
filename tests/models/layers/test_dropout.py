"""Dropout by hash: its mean, independence, and that it hangs on key and position alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxact.models.layers.dropout import dropout, position_bits

SHAPE = (64, 50, 64)
KEYS = [jax.random.key(0), jax.random.fold_in(jax.random.key(0), 1), jax.random.key(12345)]


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("key", KEYS)
def test_the_share_that_stays_and_the_mean_are_right(rate, key):
    y = np.asarray(dropout(key, jnp.ones(SHAPE), rate))
    assert set(np.unique(y)) <= {0, np.float32(1) / np.float32(1 - rate)}
    deviations = np.sqrt(y.size * rate * (1 - rate))
    assert abs(np.count_nonzero(y) - (1 - rate) * y.size) <= 5 * deviations
    for axis in range(3):  # no row, column or channel is favoured
        share = np.mean(y != 0, axis=tuple({0, 1, 2} - {axis}))
        spread = np.sqrt(rate * (1 - rate) * y.shape[axis] / y.size)
        assert np.all(np.abs(share - (1 - rate)) <= 5 * spread)


def test_masks_of_neighbours_bits_and_keys_are_independent():
    masks = [np.asarray(position_bits(key, SHAPE)) for key in KEYS]
    bits = [(masks[0] >> shift) & 1 for shift in (0, 1, 16, 30, 31)]
    top = [(mask >> 31).astype(np.int64) for mask in masks]
    pairs = [(a, b) for i, a in enumerate(bits) for b in bits[:i]] + [
        (top[0], top[1]),
        (top[0], top[2]),
    ]
    pairs += [(top[0], np.roll(top[0], shift, axis)) for axis in range(3) for shift in (1, 2, 7)]
    for a, b in pairs:
        agree = np.mean(a == b)
        assert abs(agree - 0.5) < 5 * 0.5 / np.sqrt(a.size)
    # Nor is one key's mask the other's in another order: fewer common words than two permutations
    # would have.
    assert len(np.intersect1d(masks[0], masks[1])) < 1e-3 * masks[0].size


def test_a_key_repeats_its_mask_on_any_number_of_devices():
    mesh = Mesh(np.array(jax.devices()), ("data",))
    x = jnp.ones(SHAPE)
    once = dropout(KEYS[0], x, 0.5)
    spread = jax.jit(lambda x: dropout(KEYS[0], x, 0.5))(
        jax.device_put(x, NamedSharding(mesh, PartitionSpec("data")))
    )
    np.testing.assert_array_equal(once, spread)
    assert np.any(once != dropout(KEYS[1], x, 0.5))
