"""A run that begins with the weights of another."""

from collections.abc import Collection
from typing import Any

import jax
import jax.numpy as jnp
from flax.traverse_util import flatten_dict, unflatten_dict

from jaxact.errors import UserError
from jaxact.progress import log
from jaxact.runs import state, trained_model


def transplant(
    begun: state.TrainState, net: trained_model.Trained, source: str
) -> state.TrainState:
    """`begun` with the weights of `net` in every module that both networks have; the other modules
    stay as they are.

    So does a classifier over another number of classes, and what a module has beyond that of `net`,
    say an excitation.

    Raises:
      UserError: no module in common, or one of another shape.
    """
    taken = {name for name in begun.params if name in net.weights["params"]}
    for name in sorted(taken):
        if _classifies(net.weights["params"][name], begun.params[name], len(net.labels)):
            log(
                f"{name!r} starts anew: the network in {source!r} tells {len(net.labels)} classes, this one others"
            )
            taken.discard(name)
    if not taken:
        raise UserError(
            f"the network in {source!r} has no module in common with this one: it has "
            f"{', '.join(sorted(net.weights['params']))}; wanted some of {', '.join(sorted(begun.params))}"
        )

    def mixed(kind: str, own: Any) -> Any:
        old, new = (_leaves(tree, taken) for tree in (net.weights.get(kind, {}), own))
        for path, leaf in old.items():
            if path not in new or new[path].shape != leaf.shape:
                raise UserError(
                    f"the module {path[0]!r} of the network in {source!r} has other shapes than this one's; train both "
                    "with the same model.width, joint layout and clip.stream"
                )
        for part in sorted({"/".join(path[:-1]) for path in new.keys() - old.keys()}):
            log(f"{part!r} starts anew: the network in {source!r} has none")
        return unflatten_dict(flatten_dict(own) | old)

    params = mixed("params", begun.params)
    average = None if begun.ema is None else jax.tree.map(jnp.copy, params)
    return begun.replace(
        params=params, batch_stats=mixed("batch_stats", begun.batch_stats), ema=average
    )


def _leaves(tree: Any, modules: Collection[str]) -> dict[tuple[str, ...], Any]:
    """The arrays of some of the modules by their paths."""
    return {path: leaf for path, leaf in flatten_dict(tree).items() if path[0] in modules}


def _classifies(module: Any, other: Any, classes: int) -> bool:
    """Whether a module gives `classes` numbers and `other`, else alike, another count of them."""
    old, new = jax.tree.leaves(module), jax.tree.leaves(other)
    ends = {array.shape[-1:] for array in new}
    return (
        {array.shape[-1:] for array in old} == {(classes,)} != ends
        and len(ends) == 1
        and any(array.ndim > 1 for array in old)
        and [array.shape[:-1] for array in old] == [array.shape[:-1] for array in new]
    )
