"""The weights that a run starts from: random ones, another run's, or a pretrained backbone's."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.traverse_util import flatten_dict, unflatten_dict

from jaxact.config import TrainConfig
from jaxact.errors import UserError
from jaxact.progress import log
from jaxact.runs import state, trained_model


def initialise(
    initial: state.TrainState, model: nn.Module, config: TrainConfig
) -> state.TrainState:
    """The state before the first step, with the weights that `config.init_from` names.

    Args:
        initial: the state with random weights.
        config: its `init_from` is empty, the folder of a run, or a file of a backbone's weights.

    Raises:
        UserError: weights that do not fit, or none for parameters that are never trained.
    """
    path = config.init_from
    if not path:
        if any(jax.tree.leaves(state.frozen_mask(model, initial.params))):
            section: Any = config.model
            raise UserError(
                f"model.train_from={section.train_from!r} freezes layers, "
                "which would keep their random weights: "
                "give weights by --config.init_from=FILE (see `jaxact import keras`), "
                "or train all layers by --config.model.train_from=all"
            )
        return initial
    if not Path(path).is_file():
        return transfer(initial, trained_model.load(path, classifier=False), path)
    from jaxact.interop import keras

    variables = state.variables(initial.params, initial.batch_stats)
    variables = keras.insert_backbone(variables, keras.load(path))
    return _with_weights(initial, variables["params"], variables["batch_stats"])


def transfer(
    initial: state.TrainState, net: trained_model.TrainedModel, source: str
) -> state.TrainState:
    """`initial` with the weights of `net` in every module that both networks have.

    The other modules keep their weights; so do a classifier for another number of classes, and the
    parts of a module that `net` does not have, such as an excitation.

    Args:
        initial: the state before the first step.
        net: the pretrained network.
        source: the folder of `net`, for messages.

    Raises:
        UserError: no module in common, or one of another shape.
    """
    pretrained = net.weights["params"]
    modules = set()
    for name in sorted(initial.params.keys() & pretrained.keys()):
        if _is_other_classifier(pretrained[name], initial.params[name], len(net.labels)):
            log(
                f"{name!r} is initialised anew: the network in {source!r} "
                f"has {len(net.labels)} classes, this one has another number"
            )
        else:
            modules.add(name)
    if not modules:
        raise UserError(
            f"the network in {source!r} has no module in common with this one: it has "
            f"{', '.join(sorted(pretrained))}; wanted some of {', '.join(sorted(initial.params))}"
        )
    params = _merge(initial.params, pretrained, modules, source)
    batch_stats = _merge(initial.batch_stats, net.weights.get("batch_stats", {}), modules, source)
    return _with_weights(initial, params, batch_stats)


def _with_weights(initial: state.TrainState, params: Any, batch_stats: Any) -> state.TrainState:
    """`initial` with other weights, from which the moving average starts too."""
    ema = None
    if initial.ema is not None:
        ema = jax.tree.map(jnp.copy, params)
    return initial.replace(params=params, batch_stats=batch_stats, ema=ema)


def _merge(own: Any, pretrained: Any, modules: Collection[str], source: str) -> Any:
    """The tree `own` with the arrays of `pretrained` in some of its modules."""
    old = _arrays(pretrained, modules)
    new = _arrays(own, modules)
    for path, array in old.items():
        if path not in new or new[path].shape != array.shape:
            raise UserError(
                f"the module {path[0]!r} of the network in {source!r} has other shapes than this "
                "one's; train both with the same model.width, joint layout and clip.stream"
            )
    for part in sorted({"/".join(path[:-1]) for path in new.keys() - old.keys()}):
        log(f"{part!r} is initialised anew: the network in {source!r} does not have it")
    return unflatten_dict(flatten_dict(own) | old)


def _arrays(tree: Any, modules: Collection[str]) -> dict[tuple[str, ...], Any]:
    """The arrays of some of the modules, by path."""
    return {path: array for path, array in flatten_dict(tree).items() if path[0] in modules}


def _is_other_classifier(module: Any, other: Any, classes: int) -> bool:
    """Whether a module has `classes` outputs, and `other` has the same inputs but another number.

    Args:
        module: arrays of one network's module.
        other: arrays of the module of the same name in the other network.
        classes: number of classes of the first network.
    """
    old = [array.shape for array in jax.tree.leaves(module)]
    new = [array.shape for array in jax.tree.leaves(other)]
    outputs = {shape[-1:] for shape in new}
    return (
        {shape[-1:] for shape in old} == {(classes,)} != outputs
        and len(outputs) == 1
        and any(len(shape) > 1 for shape in old)
        and [shape[:-1] for shape in old] == [shape[:-1] for shape in new]
    )
