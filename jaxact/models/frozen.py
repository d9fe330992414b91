"""Parameters in two trees, those that train and those that are frozen, so that only the first have gradients."""

from typing import Any

import jax

Tree = Any


def split(params: Tree, frozen: Tree) -> tuple[Tree, Tree]:
    """The parameters that train and those that do not, each with None in the other's places.

    None is no leaf to JAX and Optax: a gradient with respect to the first tree, and an optimiser's memory of it, hold
    nothing for the second.

    Args:
        params: arrays.
        frozen: a tree of the same form, True where a parameter does not train.
    """
    trained = jax.tree.map(lambda array, still: None if still else array, params, frozen)
    return trained, jax.tree.map(lambda array, still: array if still else None, params, frozen)


def merge(trained: Tree, fixed: Tree) -> Tree:
    """The whole tree again."""
    return jax.tree.map(lambda one, other: other if one is None else one, trained, fixed, is_leaf=lambda x: x is None)
