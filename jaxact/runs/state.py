"""What a training step reads and writes: array trees only, no functions and no keys."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from flax import struct

Tree = Any


class TrainState(struct.PyTreeNode):
    """Four array trees, and a fifth where a moving average is asked for.

    Attributes:
      step: updates made so far, i32 [].
      params: trainable arrays.
      batch_stats: BatchNorm's running mean and variance.
      opt_state: the optimiser's memory of the parameters that are not frozen.
      ema: moving average of `params`, or None.
    """

    step: Tree
    params: Tree
    batch_stats: Tree
    opt_state: Tree
    ema: Tree = None

    @property
    def weights(self) -> dict[str, Tree]:
        """The variables that evaluation uses: the moving average where there is one."""
        return variables(self.params if self.ema is None else self.ema, self.batch_stats)


def variables(params: Tree, batch_stats: Tree) -> dict[str, Tree]:
    """Linen's variable collections; a model without BatchNorm has no `batch_stats`."""
    return {"params": params, "batch_stats": batch_stats} if batch_stats else {"params": params}


def init(model: nn.Module, example: jax.ShapeDtypeStruct, seed: int) -> dict[str, Tree]:
    """The model's fresh variables; compiled, so that the forward pass is never run."""
    make = jax.jit(
        lambda key: model.init(
            {"params": key}, jnp.zeros(example.shape, example.dtype), train=False
        )
    )
    return make(jax.random.key(seed))


def freezing(model: nn.Module) -> Callable[[Tree], Tree]:
    """What tells a model's frozen parameters: from `params` to a tree of the same form, True where
    one is frozen.
    """
    return getattr(model, "frozen", lambda params: jax.tree.map(lambda _: False, params))


def split(params: Tree, frozen: Tree) -> tuple[Tree, Tree]:
    """The parameters that train and those that are frozen, each with None in the other's places.

    None is no leaf to JAX and Optax: a gradient with respect to the first tree, and an optimiser's
    memory of it, hold nothing for the second.

    Args:
      params: arrays.
      frozen: a tree of the same form, True where a parameter is frozen.
    """
    trained = jax.tree.map(lambda array, still: None if still else array, params, frozen)
    return trained, jax.tree.map(lambda array, still: array if still else None, params, frozen)


def merge(trained: Tree, fixed: Tree) -> Tree:
    """The whole tree again."""
    return jax.tree.map(
        lambda one, other: other if one is None else one,
        trained,
        fixed,
        is_leaf=lambda x: x is None,
    )


def create(
    model: nn.Module,
    example: jax.ShapeDtypeStruct,
    tx: optax.GradientTransformation,
    *,
    seed: int,
    ema: bool = False,
) -> TrainState:
    """The state before the first step.

    Args:
      example: shape and type of the model's inputs.
      seed: of the initialisation.
      ema: keep a moving average of the parameters.
    """
    initial = init(model, example, seed)
    params = initial["params"]
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=params,
        batch_stats=initial.get("batch_stats", {}),
        opt_state=tx.init(split(params, freezing(model)(params))[0]),
        ema=jax.tree.map(jnp.copy, params) if ema else None,
    )
