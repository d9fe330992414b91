"""Learning-rate schedules and optimisers, in steps; epochs are turned into steps once, by the
caller.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxact.errors import unknown


def schedule(
    *,
    kind: str,
    learning_rate: float,
    total_steps: int,
    milestones: Sequence[int] = (),
    factor: float = 0.1,
    warmup_steps: int = 0,
) -> optax.Schedule:
    """The learning rate as a function of the step, the first step being 0.

    Args:
      kind: "constant"; "step", multiplied by `factor` at each of `milestones`; "cosine", to zero at
          `total_steps`.
      learning_rate: the highest rate.
      total_steps: length of the run.
      milestones: steps at which the step schedule falls.
      warmup_steps: steps of a linear rise from zero; the shape that follows is not shifted by it.

    Raises:
      UserError: `kind` is none of the three.
    """
    if kind == "constant":
        shape = optax.constant_schedule(learning_rate)
    elif kind == "step":
        shape = optax.piecewise_constant_schedule(
            learning_rate, {int(step): factor for step in milestones}
        )
    elif kind == "cosine":
        shape = optax.cosine_decay_schedule(learning_rate, max(total_steps, 1))
    else:
        raise unknown("schedule", kind, ("constant", "step", "cosine"))
    if warmup_steps == 0:
        return shape
    return lambda count: shape(count) * jnp.minimum(1.0, (count + 1) / warmup_steps)


def _kernels(params: Any) -> Any:
    return jax.tree.map(lambda p: p.ndim >= 2, params)


def _depthwise(params: Any) -> Any:
    return jax.tree_util.tree_map_with_path(
        lambda path, _: getattr(path[-1], "key", "") == "depthwise", params
    )


_DECAYS: dict[str, Callable[[Any], Any] | None] = {
    "all": None,
    "kernels": _kernels,
    "depthwise": _depthwise,
}


def optimizer(
    learning_rate: optax.Schedule,
    *,
    name: str,
    momentum: float = 0.9,
    nesterov: bool = True,
    weight_decay: float = 0.0,
    decay: str = "all",
    clip_norm: float = 0.0,
) -> optax.GradientTransformation:
    """SGD as PyTorch defines it (decay added to the gradient, then momentum), Adam with decay added
    to the gradient, or AdamW (decoupled decay).

    Args:
      decay: "all" parameters, as the released ST-GCN code has it, "kernels": arrays of two and more
        axes, or "depthwise": the parameters of this name, kernels of depthwise convolutions.
      clip_norm: largest global norm of the gradient before decay; 0 turns clipping off.

    Raises:
      UserError: unknown `name` or `decay`.
    """
    if decay not in _DECAYS:
        raise unknown("decay", decay, _DECAYS)
    mask = _DECAYS[decay]
    clip = [optax.clip_by_global_norm(clip_norm)] if clip_norm else []
    if name == "sgd":
        sgd = optax.sgd(
            learning_rate, momentum=momentum or None, nesterov=nesterov and bool(momentum)
        )
        return optax.chain(*clip, optax.add_decayed_weights(weight_decay, mask), sgd)
    if name == "adam":
        return optax.chain(
            *clip, optax.add_decayed_weights(weight_decay, mask), optax.adam(learning_rate)
        )
    if name == "adamw":
        return optax.chain(*clip, optax.adamw(learning_rate, weight_decay=weight_decay, mask=mask))
    raise unknown("optimiser", name, ("sgd", "adam", "adamw"))
