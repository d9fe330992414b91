"""Checkpoints hold the bits of the state, whatever devices write and read them."""

import logging

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxact.errors import UserError
from jaxact.runs import checkpoint, sharding, state

TX = optax.sgd(0.1, momentum=0.9)


def initial_state(width: int = 8) -> state.TrainState:
    """A state of random arrays."""
    random = np.random.default_rng(0)
    params = {
        "kernel": jnp.asarray(random.standard_normal((4, width)), jnp.float32),
        "bias": jnp.asarray(random.standard_normal(width), jnp.float32),
        "scale": jnp.asarray(random.standard_normal(3), jnp.float32),
    }
    return state.TrainState(
        step=jnp.asarray(3, jnp.int32), params=params, batch_stats={}, opt_state=TX.init(params)
    )


def save(workdir, train_state):
    """Saves a state."""
    checkpoints = checkpoint.Checkpoints(workdir)
    checkpoints.save(train_state, {"config": {}})
    checkpoints.close()


def restore(workdir, like, devices):
    """The state of step 3 on the first `devices` devices."""
    checkpoints = checkpoint.Checkpoints(workdir, read_only=True)
    try:
        placement = sharding.make_placement(devices=devices)
        return checkpoints.restore(3, like, placement.replicated)
    finally:
        checkpoints.close()


def test_a_replicated_state_is_saved_without_compiling_and_moves_between_device_counts(
    tmp_path, caplog
):
    initial = initial_state()
    replicated = sharding.make_placement(devices=4).replicate(initial)
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        save(tmp_path, replicated)
    assert "Compiling" not in caplog.text
    for devices in (1, 2):
        restored = restore(tmp_path, replicated, devices)
        jax.tree.map(np.testing.assert_array_equal, restored, initial)
        for array in jax.tree.leaves(restored):
            assert array.is_fully_replicated and len(array.sharding.device_set) == devices


def test_a_checkpoint_of_other_shapes_is_refused(tmp_path):
    save(tmp_path, initial_state())
    cause = r"3' is damaged, or is of a model with other parameters: "
    with pytest.raises(UserError, match=rf"{cause}.*'bias'\] has the shape \(8,\)"):
        restore(tmp_path, initial_state(width=5), 1)


def test_a_folder_without_checkpoints_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no checkpoints in .*: wanted the --workdir"):
        checkpoint.Checkpoints(tmp_path, read_only=True)
