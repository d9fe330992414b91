"""The pose network's loss: the paper's three equations by loops, and what its weights leave out."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import losses
from jaxact.errors import UserError
from jaxact.losses import pose as pose_losses


def drawn(stages=3, size=(2, 4, 5)):
    random = np.random.default_rng(0)
    batch, rows, columns = size
    outputs = {
        name: random.normal(size=(batch, stages, rows, columns, count)).astype(np.float32)
        for name, count in (("joints", 14), ("limbs", 26))
    }
    targets = {
        "joints": random.uniform(size=(*size, 14)).astype(np.float32),
        "limbs": random.uniform(-1, 1, (*size, 26)).astype(np.float32),
        "weights": (random.uniform(size=size) > 0.3).astype(np.float32),
    }
    return outputs, targets


def loss(outputs, targets, **options):
    return np.asarray(pose_losses.pose_loss(jnp_all(outputs), jnp_all(targets), **options))


def jnp_all(tree):
    return {name: jnp.asarray(value) for name, value in tree.items()}


@pytest.mark.parametrize("weights", [(), tuple(map(float, range(1, 15)))])
def test_the_loss_is_the_sum_of_equations_2_and_3_over_stages(weights):
    outputs, targets = drawn()
    expected = np.zeros(2)
    for b, t, i, j in np.ndindex(2, 3, 4, 5):
        w = targets["weights"][b, i, j]
        for c in range(14):
            each = weights[c] if weights else 1
            expected[b] += (
                each * w * (outputs["joints"][b, t, i, j, c] - targets["joints"][b, i, j, c]) ** 2
            )
        for limb in range(13):
            error = (
                outputs["limbs"][b, t, i, j, 2 * limb :][:2]
                - targets["limbs"][b, i, j, 2 * limb :][:2]
            )
            expected[b] += w * np.hypot(*error) ** 2
    np.testing.assert_allclose(loss(outputs, targets, joint_weights=weights), expected, rtol=1e-5)


def test_a_runs_joint_weights_reach_the_loss():
    outputs, targets = map(jnp_all, drawn())
    weights = tuple(map(float, range(1, 15)))
    actual = losses.make_loss("pose", joint_weights=weights)(outputs, targets, 3)
    np.testing.assert_array_equal(
        actual, pose_losses.pose_loss(outputs, targets, joint_weights=weights)
    )
    assert (np.asarray(actual) > np.asarray(losses.make_loss("pose")(outputs, targets))).all()


def test_stages_add_up_to_the_loss():
    outputs, targets = map(jnp_all, drawn())
    parts = pose_losses.stages(outputs, targets)
    assert parts["joints"].shape == parts["limbs"].shape == (2, 3)
    np.testing.assert_allclose(
        (parts["joints"] + parts["limbs"]).sum(1),
        pose_losses.pose_loss(outputs, targets),
        rtol=1e-6,
    )
    alone = {name: value[:, :1] for name, value in outputs.items()}
    np.testing.assert_allclose(
        pose_losses.stages(alone, targets)["limbs"], parts["limbs"][:, :1], rtol=1e-6
    )


def test_what_has_no_weight_has_no_say_and_a_perfect_answer_no_loss():
    outputs, targets = drawn()
    before = loss(outputs, targets)
    left_out = targets["weights"][:, None, :, :, None] == 0
    changed = {
        name: np.where(left_out, 99.0, value).astype(np.float32) for name, value in outputs.items()
    }
    np.testing.assert_array_equal(loss(changed, targets), before)
    perfect = {name: np.repeat(targets[name][:, None], 3, axis=1) for name in outputs}
    assert not loss(perfect, targets).any()


def test_the_background_should_be_where_no_joint_is():
    outputs, targets = drawn()
    plain = loss(outputs, targets)
    more = np.random.default_rng(1).normal(size=(2, 3, 4, 5, 1)).astype(np.float32)
    actual = loss(outputs | {"joints": np.concatenate([outputs["joints"], more], -1)}, targets)
    expected = 1 - targets["joints"].max(-1)
    extra = targets["weights"][:, None] * (more[..., 0] - expected[:, None]) ** 2
    np.testing.assert_allclose(actual, plain + extra.sum((1, 2, 3)), rtol=1e-5)


def test_half_precision_answers_are_summed_in_float32():
    outputs, targets = drawn(size=(1, 40, 40))
    rounded = {name: jnp.asarray(value, jnp.bfloat16) for name, value in outputs.items()}
    actual = pose_losses.pose_loss(rounded, jnp_all(targets))
    assert actual.dtype == jnp.float32
    exact = {name: np.asarray(value, np.float32) for name, value in rounded.items()}
    np.testing.assert_allclose(actual, loss(exact, targets), rtol=1e-5)


def test_another_number_of_joint_weights_says_so():
    with pytest.raises(
        UserError, match=r"3 joint weights were given for 14 maps of joints; wanted one for each"
    ):
        loss(*drawn(), joint_weights=(1.0, 2.0, 3.0))
