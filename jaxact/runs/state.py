"""What a training step reads and writes: array trees only, no functions and no keys."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from flax import struct

Tree = Any


class TrainState(struct.PyTreeNode):
    """Four array trees, and a fifth with a moving average of the parameters.

    Attributes:
        step: number of updates made so far, i32 [].
        params: trainable arrays.
        batch_stats: running mean and variance of BatchNorm.
        opt_state: the optimizer's state for the parameters that are not frozen.
        ema: exponential moving average of `params`, or None.
    """

    step: Tree
    params: Tree
    batch_stats: Tree
    opt_state: Tree
    ema: Tree = None

    @property
    def weights(self) -> dict[str, Tree]:
        """The variables for evaluation: the moving average if there is one, else `params`."""
        params = self.params if self.ema is None else self.ema
        return variables(params, self.batch_stats)


def variables(params: Tree, batch_stats: Tree) -> dict[str, Tree]:
    """Linen's variable collections; a model without BatchNorm has no `batch_stats`."""
    if not batch_stats:
        return {"params": params}
    return {"params": params, "batch_stats": batch_stats}


def init(model: nn.Module, example: jax.ShapeDtypeStruct, seed: int) -> dict[str, Tree]:
    """The model's initial variables; compiled, so the forward pass does not run."""
    return jax.jit(lambda key: _init(model, example, key))(jax.random.key(seed))


def _init(model: nn.Module, example: jax.ShapeDtypeStruct, key: jax.Array) -> Any:
    inputs = jnp.zeros(example.shape, example.dtype)
    return model.init({"params": key}, inputs, train=False)


def frozen_mask(model: nn.Module, params: Tree) -> Tree:
    """A tree of the form of `params` that is True for each parameter that the model freezes."""
    if hasattr(model, "frozen"):
        return model.frozen(params)
    return jax.tree.map(lambda _: False, params)


def split(params: Tree, frozen: Tree) -> tuple[Tree, Tree]:
    """Splits the parameters into trained and frozen ones, each tree with None for the others.

    JAX and Optax do not count None as a leaf: the gradient with respect to the first tree, and
    the optimizer state for it, hold nothing for the second.

    Args:
        params: arrays.
        frozen: a tree of the same form, True for each frozen parameter.
    """
    trained = jax.tree.map(lambda array, fixed: None if fixed else array, params, frozen)
    fixed = jax.tree.map(lambda array, fixed: array if fixed else None, params, frozen)
    return trained, fixed


def merge(trained: Tree, fixed: Tree) -> Tree:
    """Merges the two trees of `split`."""

    def choose(array: Any, fixed_array: Any) -> Any:
        return fixed_array if array is None else array

    return jax.tree.map(choose, trained, fixed, is_leaf=lambda leaf: leaf is None)


def create(
    model: nn.Module,
    example: jax.ShapeDtypeStruct,
    tx: optax.GradientTransformation,
    *,
    seed: int,
    ema: bool = False,
) -> TrainState:
    """The state before the first step, computed by one compiled program.

    Args:
        example: shape and dtype of the model's inputs.
        seed: seed of the initialisation.
        ema: keep a moving average of the parameters.
    """

    def initial(key: jax.Array) -> TrainState:
        collections = _init(model, example, key)
        params = collections["params"]
        trained, _ = split(params, frozen_mask(model, params))
        return TrainState(
            step=jnp.zeros((), jnp.int32),
            params=params,
            batch_stats=collections.get("batch_stats", {}),
            opt_state=tx.init(trained),
            ema=jax.tree.map(jnp.copy, params) if ema else None,
        )

    return jax.jit(initial)(jax.random.key(seed))
