"""Learning-rate schedules and optimizers, in steps; the caller converts epochs to steps."""

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
    """The learning rate as a function of the step, which starts at 0.

    Args:
        kind: "constant"; "step", multiplied by `factor` at each of `milestones`; "cosine", to zero
          at `total_steps`.
        learning_rate: the highest learning rate.
        total_steps: length of the run.
        milestones: steps at which the step schedule decays.
        factor: the decay at a milestone.
        warmup_steps: steps of a linear rise from zero; they do not shift the rest of the schedule.

    Raises:
        UserError: `kind` is none of the three.
    """
    if kind == "constant":
        decay = optax.constant_schedule(learning_rate)
    elif kind == "step":
        factors = {int(step): factor for step in milestones}
        decay = optax.piecewise_constant_schedule(learning_rate, factors)
    elif kind == "cosine":
        decay = optax.cosine_decay_schedule(learning_rate, max(total_steps, 1))
    else:
        raise unknown("schedule", kind, ("constant", "step", "cosine"))
    if warmup_steps == 0:
        return decay
    return lambda step: decay(step) * jnp.minimum(1.0, (step + 1) / warmup_steps)


def _kernels(params: Any) -> Any:
    return jax.tree.map(lambda array: array.ndim >= 2, params)


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
    """SGD, Adam or AdamW with weight decay.

    SGD is PyTorch's: weight decay is added to the gradient, then momentum is applied. Adam adds
    weight decay to the gradient, AdamW decouples it.

    Args:
        learning_rate: see `schedule`.
        name: "sgd", "adam" or "adamw".
        momentum, nesterov: of SGD.
        weight_decay: 0 turns it off.
        decay: which parameters decay. "all", as in the released ST-GCN code; "kernels": arrays of
          two and more axes; "depthwise": the parameters of this name, kernels of depthwise
          convolutions.
        clip_norm: largest global norm of the gradient before weight decay; 0 turns clipping off.

    Raises:
        UserError: unknown `name` or `decay`.
    """
    if decay not in _DECAYS:
        raise unknown("decay", decay, _DECAYS)
    mask = _DECAYS[decay]
    clip = []
    if clip_norm:
        clip.append(optax.clip_by_global_norm(clip_norm))
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
