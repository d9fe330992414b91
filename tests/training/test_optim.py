import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.errors import UserError
from jaxact.training import optim

RATE = {"learning_rate": 0.1, "total_steps": 100}


def test_the_step_schedule_falls_at_its_milestones():
    rate = optim.schedule(kind="step", milestones=[10, 50], factor=0.1, **RATE)
    rates = [float(rate(step)) for step in (0, 9, 10, 49, 50, 99)]
    np.testing.assert_allclose(rates, [0.1, 0.1, 0.01, 0.01, 0.001, 0.001], rtol=1e-5)


def test_the_cosine_schedule_is_the_cosine():
    rate = optim.schedule(kind="cosine", **RATE)
    np.testing.assert_allclose(
        [float(rate(s)) for s in (0, 50, 75, 100)], [0.1, 0.05, 0.0146447, 0], atol=1e-6
    )


def test_warm_up_rises_linearly_and_leaves_the_rest_alone():
    rate = optim.schedule(kind="constant", warmup_steps=4, **RATE)
    np.testing.assert_allclose(
        [float(rate(s)) for s in range(6)], [0.025, 0.05, 0.075, 0.1, 0.1, 0.1], rtol=1e-6
    )


@pytest.mark.parametrize("nesterov", [True, False])
def test_sgd_is_pytorchs(nesterov):
    """g += decay p; buffer = m buffer + g; p -= rate (g + m buffer, or the buffer)."""
    rate, momentum, decay = 0.1, 0.9, 0.01
    tx = optim.optimizer(
        lambda step: rate, name="sgd", momentum=momentum, nesterov=nesterov, weight_decay=decay
    )
    p, buffer = np.array([[1.0, -2.0]]), 0.0
    params = {"w": jnp.asarray(p, jnp.float32)}
    memory = tx.init(params)
    for index in range(3):
        g = np.array([[0.5, 0.25]]) * (index + 1)
        updates, memory = tx.update({"w": jnp.asarray(g, jnp.float32)}, memory, params)
        params = {"w": params["w"] + updates["w"]}
        g = g + decay * p
        buffer = momentum * buffer + g
        p = p - rate * (g + momentum * buffer if nesterov else buffer)
    np.testing.assert_allclose(params["w"], p, rtol=1e-5)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_decay_of_kernels_leaves_biases_alone(name):
    params = {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}
    zeros = {"kernel": jnp.zeros((2, 2)), "bias": jnp.zeros(2)}
    for decay, moved in (("kernels", False), ("all", True)):
        tx = optim.optimizer(lambda step: 0.1, name=name, weight_decay=0.5, decay=decay)
        updates, _ = tx.update(zeros, tx.init(params), params)
        assert float(jnp.abs(updates["kernel"]).min()) > 0
        assert bool(jnp.any(updates["bias"] != 0)) is moved


def test_adam_adds_the_decay_of_depthwise_kernels_to_their_gradient_and_to_no_other():
    """Without a gradient of its own a kernel that decays makes Adam's first step, the whole rate;
    others stay.
    """
    tx = optim.optimizer(lambda step: 0.1, name="adam", weight_decay=4e-5, decay="depthwise")
    params = {
        "a": {"depthwise": jnp.ones((3, 3, 2)), "kernel": jnp.ones((2, 2))},
        "bias": jnp.ones(2),
    }
    updates, _ = tx.update(jax.tree.map(jnp.zeros_like, params), tx.init(params), params)
    np.testing.assert_allclose(updates["a"]["depthwise"], -0.1, rtol=1e-3)
    assert not updates["a"]["kernel"].any() and not updates["bias"].any()


def test_clipping_bounds_the_global_norm():
    tx = optim.optimizer(lambda step: 1.0, name="sgd", momentum=0.0, clip_norm=1.0)
    params = {"a": jnp.zeros(2), "b": jnp.zeros(1)}
    updates, _ = tx.update(
        {"a": jnp.array([3.0, 0.0]), "b": jnp.array([4.0])}, tx.init(params), params
    )
    np.testing.assert_allclose(
        np.concatenate([updates["a"], updates["b"]]), [-0.6, 0, -0.8], rtol=1e-6
    )


def test_unknown_names_list_what_exists():
    with pytest.raises(
        UserError, match="unknown schedule 'poly'; available: constant, cosine, step"
    ):
        optim.schedule(kind="poly", **RATE)
    with pytest.raises(UserError, match="unknown optimiser 'lion'; available: adam, adamw, sgd"):
        optim.optimizer(lambda step: 0.1, name="lion")
    with pytest.raises(UserError, match="unknown decay 'some'"):
        optim.optimizer(lambda step: 0.1, name="sgd", decay="some")
