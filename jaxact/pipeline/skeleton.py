"""One skeleton record becomes one example: `train` for training, `evaluate` for evaluation. Both
are pure.

`evaluate` takes tensors or NumPy arrays; only with tensors it needs TensorFlow.

record {joints [s, n, v, c], label, id} -> missing joints -> persons [s, m, v, c] -> empty frames ->
place -> frames [t, m, v, c] -> augmentation (training) -> stream -> {inputs f32 [t, m, v, c],
targets i32}

Their options are the fields of the `clip` and `augment` sections of a config, whose comments say
what they mean, and `layout` and `channels` of the dataset.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from jaxact.pipeline import array_ops as ops
from jaxact.pipeline import empty_frames, normalisation, sampling, streams
from jaxact.pipeline import joints as jt
from jaxact.pipeline import person_selection as pe
from jaxact.pipeline import resampling as fr
from jaxact.pipeline.array_ops import Array
from jaxact.pipeline.validation import check
from jaxact.skeletons import Layout

__all__ = ["check", "evaluate", "input_shape", "train"]

_CHANGES = ("move", "move_missing", "rotate", "rescale", "jitter", "mirror", "swap", "drop_joints")


def train(
    example: Mapping[str, Array],
    seed: Int[Array, "2"],
    *,
    layout: Layout,
    channels: Sequence[str],
    **options: Any,
) -> dict[str, Array]:
    """A training example: `inputs` f32 [t, m, v, c] with t = `window` or else `frames`, and
    `targets` i32.

    Args:
      example: a record; only `joints`, `label` and, where people are found by it, `person_id` are
          read.
      seed: int64 pair (seed below 2**32, position). The same seed and record give the same bytes.
      options: the fields of the clip and augment sections.
    """
    from jaxact.pipeline import augment as au  # needs TensorFlow, which evaluation does not

    body: dict[str, Any] = {"layout": layout, "dims": jt.space(channels)}
    sample = functools.partial(sampling.draw, seed=seed, options=options)
    change = functools.partial(
        au.augment, seed=seed, **body, **{name: options[name] for name in _CHANGES}
    )
    stream = functools.partial(streams.stream, stream=options["stream"], **body)
    clip = _prepared(example, layout=layout, channels=channels, options=options)
    steps = (
        (change, stream, sample) if options["motion"] == "recorded" else (sample, change, stream)
    )
    for step in steps:
        clip = step(*clip)
    shape = input_shape(clip=options, layout=layout, channels=channels, window=options["window"])
    return {
        "inputs": ops.ensure_shape(clip[0], shape),
        "targets": ops.cast(example["label"], np.int32),
    }


# Coordinates have no bounds. NumPy would warn of an overflow, TensorFlow does not.
@np.errstate(over="ignore", invalid="ignore")
def evaluate(
    example: Mapping[str, Array], *, layout: Layout, channels: Sequence[str], **options: Any
) -> dict[str, Array]:
    """An evaluation example: `inputs` f32 [views, t, m, v, c] with t = `frames`, `targets` i32 and
    `id`.

    Args:
      example: a record, as for `train`, with its `id`.
      options: the fields of the clip section; `sampling.view` says which frames each view holds.
    """
    stream = functools.partial(
        streams.stream, stream=options["stream"], layout=layout, dims=jt.space(channels)
    )
    clip, inputs = _prepared(example, layout=layout, channels=channels, options=options), []
    recorded = options["motion"] == "recorded"
    clip = stream(*clip) if recorded else clip
    for number in range(options["views"]):
        view = sampling.view(*clip, number=number, options=options)
        inputs.append((view if recorded else stream(*view))[0])
    shape = (options["views"], *input_shape(clip=options, layout=layout, channels=channels))
    targets = ops.cast(example["label"], np.int32)
    return {
        "inputs": ops.ensure_shape(ops.stack(inputs), shape),
        "targets": targets,
        "id": example["id"],
    }


def input_shape(
    *, clip: Mapping[str, Any], layout: Layout, channels: Sequence[str], window: int = 0
) -> tuple[int, int, int, int]:
    """The shape [t, m, v, c] of one view of an input; `window` is that of the augment section where
    it is training.
    """
    width = len(channels) * len(streams.check(clip["stream"]))
    return (window or clip["frames"], clip["persons"], len(layout.joints), width)


def _prepared(
    example: Mapping[str, Array],
    *,
    layout: Layout,
    channels: Sequence[str],
    options: Mapping[str, Any],
) -> fr.Clip:
    """The chosen people of a whole record, at their place."""
    joints, dims = jt.finite(example["joints"]), jt.space(channels)
    joints = ops.ensure_shape(joints, [None, None, len(layout.joints), len(channels)])
    chosen = {name: options[name] for name in ("persons", "person")}
    joints = pe.choose(joints, channels=channels, ids=example.get("person_id"), **chosen)
    if tuple(channels) == ("x", "y", "score"):
        joints = jt.from_frame_shares(joints, min_score=options["min_score"])
    joints, present = empty_frames.fill(
        joints, jt.present(joints), empty=options["empty"], frames=options["frames"]
    )
    if options["flip_y"]:
        joints = jt.linear(joints, ops.diag([1.0, -1.0, 1.0][:dims]))
    if options["center"] != "none":
        around = {"center": options["center"], "origin_joint": options["origin"]}
        joints = normalisation.centre(joints, present, layout=layout, dims=dims, **around)
    if options["align"]:
        joints = normalisation.align(joints, present, layout=layout)
    if options["scale"] == "skeleton":
        joints = normalisation.unit_skeleton(joints, present, layout=layout, dims=dims)
    elif options["scale"] == "frame":
        joints = jt.linear(joints, 2.0 * ops.eye(dims))
    return joints, present
