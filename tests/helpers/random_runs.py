"""Untrained networks and their runs, for tests of what does not depend on trained weights."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxact import config, skeletons
from jaxact.runs import checkpoint, state, trained_model
from tests.helpers.random_weights import fill

CHANNELS = ("x", "y", "score")
LABELS = ("kick", "rest", "wave")


def network(
    model: Any, *, layout: str = "body-14", channels: tuple[str, ...] = CHANNELS, **clip: Any
) -> tuple[trained_model.TrainedModel, trained_model.RunMetadata]:
    """The network of a model section with random weights, and the metadata of its checkpoint.

    Args:
        model: section of a config.
        layout: of its records.
        channels: of its records.
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
    joint_layout = skeletons.get_layout(layout)
    meta = trained_model.RunMetadata(run, joint_layout, LABELS, channels)
    module = trained_model.build(meta)
    shapes = jax.eval_shape(
        lambda: state.init(module, trained_model.example_input(meta, training=False), 0)
    )
    weights = fill(shapes, gain=2**0.5)
    return trained_model.TrainedModel(
        module, weights, run, joint_layout, LABELS, channels, 0, "random"
    ), meta


def write(workdir: Path, model: Any, **options: Any) -> Path:
    """Writes `network(model, **options)` as a run's checkpoint; returns its workdir."""
    net, meta = network(model, **options)
    params, statistics = net.weights["params"], net.weights.get("batch_stats", {})
    train_state = state.TrainState(jnp.zeros((), jnp.int32), params, statistics, optax.EmptyState())
    checkpoints = checkpoint.Checkpoints(workdir)
    checkpoints.save(train_state, meta.to_dict())
    checkpoints.close()
    return workdir
