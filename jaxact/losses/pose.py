"""The pose network's loss: equations 1 to 3 of the online recognition paper, a figure for each
picture.
"""

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.errors import UserError

Maps = Mapping[str, Float[Array, "..."]]


def pose(
    outputs: Maps, targets: Maps, *, joint_weights: Sequence[float] = ()
) -> Float[Array, " b"]:
    """f = sum_t (f_S^t + f_L^t), over the stages t (equation 1).

    Args:
      outputs: `joints` [b t i j s] and `limbs` [b t i j l], what every stage answers.
      targets: `joints` [b i j v], `limbs` [b i j l] and `weights` [b i j], 0 where nobody says who
        is there, else 1. Where outputs have one more map of joints, that of the background, its
        target is 1 - max_v.
      joint_weights: one for each map of the outputs' joints, beside W(p); none is 1 for all.

    Raises:
      UserError: another number of weights than of maps.
    """
    of_stages = stages(outputs, targets, joint_weights=joint_weights)
    return jnp.sum(of_stages["joints"] + of_stages["limbs"], axis=1)


def stages(
    outputs: Maps, targets: Maps, *, joint_weights: Sequence[float] = ()
) -> dict[str, Float[Array, "b t"]]:
    """f_S^t (`joints`) and f_L^t (`limbs`) of every stage: sum_c sum_p W(p) (predicted_c(p) -
    true_c(p))^2.

    Equation 3 counts limbs; each of them is two channels here, the x and the y of its vector. Sums
    run over channels and places, in float32, so that the loss of a picture grows with its size.
    Arguments as in `pose`.
    """
    count, joints = outputs["joints"].shape[-1], targets["joints"]
    if count == joints.shape[-1] + 1:
        joints = jnp.concatenate([joints, 1 - jnp.max(joints, axis=-1, keepdims=True)], axis=-1)
    if joint_weights and len(joint_weights) != count:
        raise UserError(
            f"{len(joint_weights)} joint weights were given for {count} maps of joints; wanted one for each"
        )
    weights = targets["weights"].astype(jnp.float32)[:, None, :, :, None]

    def of(answers: Array, wanted: Array, weights: Array) -> Array:
        error = answers.astype(jnp.float32) - wanted[:, None].astype(jnp.float32)
        return jnp.sum(weights * jnp.square(error), axis=(2, 3, 4))

    each = jnp.asarray(joint_weights or (1.0,) * count, jnp.float32)[None, None, None, None]
    return {
        "joints": of(outputs["joints"], joints, weights * each),
        "limbs": of(outputs["limbs"], targets["limbs"], weights),
    }
