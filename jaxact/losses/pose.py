"""Loss of the pose network: equations 1 to 3 of the online recognition paper, per image."""

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxact.errors import UserError

Maps = Mapping[str, Float[Array, "..."]]


def pose_loss(
    outputs: Maps,
    targets: Maps,
    step: Int[Array, ""] | int = 0,
    *,
    joint_weights: Sequence[float] = (),
) -> Float[Array, " b"]:
    """f = sum_t (f_S^t + f_L^t), over the stages t (equation 1).

    Args:
        outputs: `joints` [b t i j s] and `limbs` [b t i j l], the maps of every stage.
        targets: `joints` [b i j v], `limbs` [b i j l] and `weights` [b i j], 0 where people are
            not annotated, else 1. Where outputs have one more joint map, that of the background,
            its target is 1 - max_v.
        step: ignored.
        joint_weights: one weight for each joint map of the outputs, multiplied with W(p); () is 1
            for all.

    Raises:
        UserError: the number of weights is not the number of maps.
    """
    del step
    per_stage = stages(outputs, targets, joint_weights=joint_weights)
    return jnp.sum(per_stage["joints"] + per_stage["limbs"], axis=1)


def stages(
    outputs: Maps, targets: Maps, *, joint_weights: Sequence[float] = ()
) -> dict[str, Float[Array, "b t"]]:
    """f_S^t (`joints`) and f_L^t (`limbs`) of every stage: sum_c sum_p W(p) (predicted_c(p) -
    true_c(p))^2.

    Equation 3 counts limbs; each of them is two channels here, the x and the y of its vector. Sums
    run over channels and pixels, in float32, so the loss of an image grows with its size. Arguments
    as in `pose_loss`.
    """
    maps = outputs["joints"].shape[-1]
    joints = targets["joints"]
    if maps == joints.shape[-1] + 1:
        joints = jnp.concatenate([joints, 1 - jnp.max(joints, axis=-1, keepdims=True)], axis=-1)
    if joint_weights and len(joint_weights) != maps:
        raise UserError(
            f"{len(joint_weights)} joint weights were given for {maps} maps of joints; "
            "wanted one for each"
        )
    weights = targets["weights"].astype(jnp.float32)[:, None, :, :, None]

    def squared_error(predicted: Array, true: Array, weights: Array) -> Array:
        error = predicted.astype(jnp.float32) - true[:, None].astype(jnp.float32)
        return jnp.sum(weights * jnp.square(error), axis=(2, 3, 4))

    per_map = jnp.asarray(joint_weights or (1.0,) * maps, jnp.float32)[None, None, None, None]
    return {
        "joints": squared_error(outputs["joints"], joints, weights * per_map),
        "limbs": squared_error(outputs["limbs"], targets["limbs"], weights),
    }
