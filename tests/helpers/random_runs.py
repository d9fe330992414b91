"""Networks that nobody trained, as runs would hold them: for what is done with a network whatever
it knows.
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxact import config, skeletons
from jaxact.runs import checkpoint, state, trained_model

CHANNELS = ("x", "y", "score")
LABELS = ("kick", "rest", "wave")


def network(
    model: Any, *, layout: str = "body-14", channels: tuple[str, ...] = CHANNELS, **clip: Any
) -> tuple[trained_model.Trained, trained_model.RunMetadata]:
    """The network of this model section with random weights, and what a checkpoint says of it.

    Args:
      model: section of a config.
      layout, channels: of its records.
      clip: options of the clip section.
    """
    run = config.TrainConfig(model=model, clip=config.ClipConfig(persons=1))
    if model.name == "pose":
        run.clip, run.augment = (
            config.PoseClipConfig(height=64, width=64),
            config.PoseAugmentConfig(),
        )
    for name, value in clip.items():
        setattr(run.clip, name, value)
    known = skeletons.get_layout(layout)
    meta = trained_model.RunMetadata(run, known, LABELS, channels)
    module, random = trained_model.build(meta), np.random.default_rng(0)
    shapes = jax.eval_shape(
        lambda: state.init(module, trained_model.example(meta, training=False), 0)
    )

    def drawn(path: Any, leaf: Any) -> Any:
        if "batch_stats" in str(path[0]):
            return jnp.ones(leaf.shape, leaf.dtype)
        spread = np.sqrt(2 / np.prod(leaf.shape[:-1])) if leaf.ndim > 1 else 0.5
        return jnp.asarray(random.normal(0, spread, leaf.shape), leaf.dtype)

    weights = jax.tree_util.tree_map_with_path(drawn, shapes)
    return trained_model.Trained(module, weights, run, known, LABELS, channels, 0, "random"), meta


def write(workdir: Path, model: Any, **options: Any) -> Path:
    """Writes `network(model, **options)` as a run's checkpoint; returns its workdir."""
    net, meta = network(model, **options)
    params, statistics = net.weights["params"], net.weights.get("batch_stats", {})
    begun = state.TrainState(jnp.zeros((), jnp.int32), params, statistics, optax.EmptyState())
    saved = checkpoint.Checkpoints(workdir)
    saved.save(begun, meta.to_dict())
    saved.close()
    return workdir
