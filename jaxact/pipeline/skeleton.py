"""Skeleton records to examples: `train` for training, `evaluate` for evaluation; both are pure.

`evaluate` takes tensors or NumPy arrays. It needs TensorFlow for tensors only.

record {joints [s, n, v, c], label, id} -> missing joints -> people [s, m, v, c] -> empty frames ->
normalisation -> frames [t, m, v, c] -> augmentation (training) -> stream -> {inputs f32 [t, m, v,
c], targets i32}

The options are the fields of a config's `clip` and `augment` sections, which document them, and the
data set's `layout` and `channels`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from jaxact.pipeline import array_ops as ops
from jaxact.pipeline import (
    empty_frames,
    joint_ops,
    normalisation,
    person_selection,
    sampling,
    streams,
)
from jaxact.pipeline.array_ops import Array
from jaxact.pipeline.resampling import Clip
from jaxact.pipeline.validation import check
from jaxact.skeletons import Layout

__all__ = ["check", "eval_inputs", "evaluate", "input_shape", "train"]

_AUGMENTATIONS = (
    *("move", "move_missing", "rotate", "rescale", "jitter", "mirror", "swap", "drop_joints"),
)


def train(
    example: Mapping[str, Array],
    seed: Int[Array, "2"],
    *,
    layout: Layout,
    channels: Sequence[str],
    **options: Any,
) -> dict[str, Array]:
    """A training example: `inputs` f32 [t, m, v, c] and `targets` i32.

    t is `window`, or `frames` where that is 0.

    Args:
        example: a record. Reads `joints`, `label` and, where people are selected by it,
            `person_id`.
        seed: int64 pair (seed below 2**32, position). The same seed and record give the same bytes.
        layout: layout of the joints.
        channels: names of the joints' channels.
        options: the fields of the clip and augment sections.
    """
    from jaxact.pipeline import augment  # needs TensorFlow, which evaluation does not

    dims = joint_ops.spatial_dims(channels)
    augmentations = {name: options[name] for name in _AUGMENTATIONS}

    def sample(joints: Array, present: Array) -> Clip:
        return sampling.train_frames(joints, present, seed=seed, options=options)

    def change(joints: Array, present: Array) -> Clip:
        return augment.augment(
            joints, present, seed=seed, layout=layout, dims=dims, **augmentations
        )

    clip = _prepare(example, layout=layout, channels=channels, options=options)
    if options["motion"] == "recorded":
        clip = streams.compute(*change(*clip), stream=options["stream"], layout=layout, dims=dims)
        clip = sample(*clip)
    else:
        clip = change(*sample(*clip))
        clip = streams.compute(*clip, stream=options["stream"], layout=layout, dims=dims)
    shape = input_shape(clip=options, layout=layout, channels=channels, window=options["window"])
    return {
        "inputs": ops.ensure_shape(clip[0], shape),
        "targets": ops.cast(example["label"], np.int32),
    }


def evaluate(
    example: Mapping[str, Array], *, layout: Layout, channels: Sequence[str], **options: Any
) -> dict[str, Array]:
    """An evaluation example: `inputs` as of `eval_inputs`, `targets` i32 and `id`.

    Args:
        example: a record, as for `train`, with its `id`.
        layout: layout of the joints.
        channels: names of the joints' channels.
        options: the fields of the clip section.
    """
    return {
        "inputs": eval_inputs(example, layout=layout, channels=channels, **options),
        "targets": ops.cast(example["label"], np.int32),
        "id": example["id"],
    }


# Coordinates have no bounds. NumPy would warn of an overflow, TensorFlow does not.
@np.errstate(over="ignore", invalid="ignore")
def eval_inputs(
    example: Mapping[str, Array], *, layout: Layout, channels: Sequence[str], **options: Any
) -> Float[Array, "views t m v c"]:
    """The inputs of an evaluation example, f32 [views, t, m, v, c] with t = `frames`.

    Args:
        example: `joints` [s, n, v, c] and, where people are selected by it, `person_id` [s, n].
        layout: layout of the joints.
        channels: names of the joints' channels.
        options: the fields of the clip section; see `sampling.view_frames` for the frames of each
            view.
    """
    stream = {
        "stream": options["stream"],
        "layout": layout,
        "dims": joint_ops.spatial_dims(channels),
    }
    is_recorded = options["motion"] == "recorded"
    clip = _prepare(example, layout=layout, channels=channels, options=options)
    if is_recorded:
        clip = streams.compute(*clip, **stream)
    views = []
    for number in range(options["views"]):
        view = sampling.view_frames(*clip, view=number, options=options)
        if not is_recorded:
            view = streams.compute(*view, **stream)
        views.append(view[0])
    shape = (options["views"], *input_shape(clip=options, layout=layout, channels=channels))
    return ops.ensure_shape(ops.stack(views), shape)


def input_shape(
    *, clip: Mapping[str, Any], layout: Layout, channels: Sequence[str], window: int = 0
) -> tuple[int, int, int, int]:
    """The shape [t, m, v, c] of one view of an input.

    Args:
        clip: the fields of the clip section.
        layout: layout of the joints.
        channels: names of the joints' channels.
        window: in training, the augment section's `window`.
    """
    width = len(channels) * len(streams.parse(clip["stream"]))
    return (window or clip["frames"], clip["persons"], len(layout.joints), width)


def _prepare(
    example: Mapping[str, Array],
    *,
    layout: Layout,
    channels: Sequence[str],
    options: Mapping[str, Any],
) -> Clip:
    """The selected people of a whole record, without empty frames and normalised."""
    joints = joint_ops.non_finite_to_missing(example["joints"])
    joints = ops.ensure_shape(joints, [None, None, len(layout.joints), len(channels)])
    joints = person_selection.select(
        joints,
        persons=options["persons"],
        person=options["person"],
        channels=channels,
        ids=example.get("person_id"),
    )
    if tuple(channels) == ("x", "y", "score"):
        joints = joint_ops.centre_image_coordinates(joints, min_score=options["min_score"])
    joints, present = empty_frames.handle(
        joints, joint_ops.present(joints), empty=options["empty"], frames=options["frames"]
    )
    joints = normalisation.normalise(
        joints, present, layout=layout, dims=joint_ops.spatial_dims(channels), options=options
    )
    return joints, present
