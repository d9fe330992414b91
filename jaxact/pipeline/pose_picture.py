"""One picture with people becomes one example for the pose network: `train` and `evaluate`, both
pure.

record {image: JPEG, height, width, joints f32 [1 m v (x, y, seen)], ignored u8 [h w], id, label}
  -> one affine map (zoom, turn, shift, mirror) of picture, joints and ignored places
  -> {inputs f32 [h w 3] in [-1, 1], targets {joints, limbs, weights}}

Coordinates are pixels from the picture's top left corner, so that the middle of its first pixel is
(0.5, 0.5). A joint with `seen` 0 is missing, 1 is hidden but known, 2 is in sight. Joints of any
layout that converts to `body-14` will do.

The options are fields of a config. Of the clip:
  height, width: of an example, pixels; multiples of 8.
  sigma: of a joint's Gaussian, pixels of the example.
  thickness: cells of 8 pixels to either side of a limb in which its field is set.
  persons: people that an evaluation example holds, those of the file's first rows.
Of the augmentation:
  zoom_least, zoom_most: random factor on the zoom that makes a drawn person `span` of the example's
  shorter side high. span: that share; 0.6 in the lightweight OpenPose whose augmentation this
  follows. rotate: largest turn, degrees either way. shift: largest distance of that person from the
  middle, share of the shorter side, each way. mirror: left/right mirror with probability 1/2.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from jaxtyping import Bool, Float, Int

from jaxact.errors import UserError
from jaxact.pipeline.pose_targets import STRIDE, People, affinity_fields, gaussians
from jaxact.pipeline.seeds import subseed
from jaxact.skeletons import Layout
from jaxact.skeletons.pose_body import BODY, body_matrix

SMALLEST = 16.0  # pixels; people whose joints span less are zoomed as if they spanned this
FURTHEST = 8.0  # most that a picture is magnified or reduced
CLIP = ("height", "width", "sigma", "thickness", "persons")
AUGMENT = ("zoom_least", "zoom_most", "span", "rotate", "shift", "mirror")
FIELDS = ("id", "label", "image", "height", "width", "joints", "ignored")

Affine = Float[tf.Tensor, "2 3"]  # from pixels of the picture to pixels of the example


def train(
    example: Mapping[str, tf.Tensor], seed: Int[tf.Tensor, "2"], *, layout: Layout, **options: Any
) -> dict[str, Any]:
    """A training example: `inputs` and the dict `targets`, see `targets`.

    Args:
      example: a record.
      seed: int64 pair (seed below 2**32, position). The same seed and record give the same bytes.
      layout: of the record's joints.
      options: of the clip and of the augmentation.
    """
    people = body(example["joints"][0], layout)
    affine = random_place(people, example, seed=seed, options=options)
    mirrored = tf.random.stateless_uniform([], subseed(seed, "mirror")) < (
        0.5 if options["mirror"] else 0.0
    )
    affine = tf.where(mirrored, mirror(affine, options["width"]), affine)
    places, seen = moved(people, affine)
    order = tf.where(mirrored, list(BODY.mirrored()), list(range(len(BODY.joints))))
    people = tf.gather(places, order, axis=1), tf.gather(seen, order, axis=1)
    return {
        "inputs": warped(example["image"], affine, options),
        "targets": targets(people, example, affine, options),
    }


def evaluate(example: Mapping[str, tf.Tensor], *, layout: Layout, **options: Any) -> dict[str, Any]:
    """An evaluation example: the whole picture in the middle of the example, grey around.

    Args:
      example: a record, as for `train`.
      layout: of the record's joints.
      options: of the clip.

    Returns:
      `inputs` [1 h w 3]; `targets`, with `people` f32 [persons 14 3], those with a joint in the
      picture, in pixels of the example, zero for a missing joint or nobody, and `place` f32 [3]
      (zoom, left, top): what is at x in the example is at (x - left) / zoom in the picture; `id`.
    """
    affine = whole(example, options)
    people = body(example["joints"][0], layout)
    inside, people = _inside(people, example), moved(people, affine)
    held = tf.where(inside[..., None], tf.concat([people[0], people[1][..., None]], axis=-1), 0.0)
    held = tf.boolean_mask(held, tf.reduce_any(held[..., 2] > 0, axis=1))[: options["persons"]]
    held = tf.pad(held, [[0, options["persons"] - tf.shape(held)[0]], [0, 0], [0, 0]])
    return {
        "inputs": warped(example["image"], affine, options)[None],
        "targets": {
            **targets(people, example, affine, options),
            "people": tf.ensure_shape(held, (options["persons"], len(BODY.joints), 3)),
            "place": tf.stack([affine[0, 0], affine[0, 2], affine[1, 2]]),
        },
        "id": example["id"],
    }


def input_shape(*, clip: Mapping[str, Any]) -> tuple[int, int, int]:
    """The shape [h, w, c] of one view of an input."""
    return (clip["height"], clip["width"], 3)


def check(*, clip: Mapping[str, Any], augment: Mapping[str, Any] | None) -> None:
    """Raises UserError for options that are missing, out of range or have no meaning together."""
    for section, names, given in (("clip", CLIP, clip), ("augment", AUGMENT, augment)):
        if given is not None and (lacking := [name for name in names if name not in given]):
            raise UserError(
                f"the records are pictures with joints, but the config's options lack {section}.{lacking[0]}"
            )
    for name in ("height", "width"):
        if clip[name] < STRIDE or clip[name] % STRIDE:
            raise UserError(
                f"clip.{name} is {clip[name]!r}, but must be a multiple of {STRIDE} pixels"
            )
    for name in ("sigma", "thickness"):
        if clip[name] <= 0:
            raise UserError(f"clip.{name} is {clip[name]!r}, but must be above 0")
    if clip["persons"] < 1:
        raise UserError(f"clip.persons is {clip['persons']!r}, but must be at least 1")
    if augment is None:
        return
    for name in ("zoom_least", "span"):
        if augment[name] <= 0:
            raise UserError(f"augment.{name} is {augment[name]!r}, but must be above 0")
    least, most = augment["zoom_least"], augment["zoom_most"]
    if most < least:
        raise UserError(
            f"augment.zoom_most is {most!r}, but must be at least zoom_least, {least!r}"
        )


def body(joints: Float[tf.Tensor, "m v 3"], layout: Layout) -> People:
    """The people's fourteen joints; one is seen as well as the worst seen of those that it is made
    from.
    """
    made = body_matrix(layout)
    places = tf.einsum("jv,mvc->mjc", tf.constant(made, tf.float32), joints[..., :2])
    needed = tf.constant(made > 0)[None]
    seen = tf.reduce_min(tf.where(needed, joints[:, None, :, 2], np.inf), axis=2)
    seen = tf.where(
        tf.reduce_any(needed, axis=2), seen, 0.0
    )  # a row without weights: the layout lacks the joint
    return tf.where(seen[..., None] > 0, places, 0.0), seen


def moved(people: People, affine: Affine) -> People:
    """The people's joints under an affine map; missing ones stay zero."""
    places, seen = people
    places = tf.einsum("dc,mjc->mjd", affine[:, :2], places) + affine[:, 2]
    return tf.where(seen[..., None] > 0, places, 0.0), seen


def whole(example: Mapping[str, tf.Tensor], options: Mapping[str, Any]) -> Affine:
    """The map that brings the whole picture into the middle of the example, its shape kept."""
    size = _size(example)
    wanted = tf.constant([options["width"], options["height"]], tf.float32)
    zoom = tf.reduce_min(wanted / size)
    return tf.concat([zoom * tf.eye(2), ((wanted - zoom * size) / 2)[:, None]], axis=1)


def random_place(
    people: People,
    example: Mapping[str, tf.Tensor],
    *,
    seed: Int[tf.Tensor, "2"],
    options: Mapping[str, Any],
) -> Affine:
    """The map that brings one of the people near the middle of the example, zoomed and turned.

    All who have a joint in the picture are equally likely. A person is as large as the longer side
    of the box around their joints, a picture without anybody as its frame.
    """
    who, zoom, *shift = tf.unstack(tf.random.stateless_uniform([4], subseed(seed, "crop")))
    turn = (
        tf.random.stateless_uniform([], subseed(seed, "rotate"), -1.0, 1.0)
        * options["rotate"]
        * (np.pi / 180)
    )
    places, seen = people
    there = tf.reduce_any(_inside(people, example), axis=1)
    count = tf.reduce_sum(tf.cast(there, tf.int32))
    number = tf.minimum(tf.cast(who * tf.cast(count, tf.float32), tf.int32), count - 1)
    chosen = there & (tf.cumsum(tf.cast(there, tf.int32)) == number + 1)
    frame = tf.stack([tf.zeros(2), _size(example)])
    points = tf.cond(
        count > 0, lambda: tf.boolean_mask(places, (seen > 0) & chosen[:, None]), lambda: frame
    )
    low, high = tf.reduce_min(points, axis=0), tf.reduce_max(points, axis=0)
    wanted = tf.constant([options["width"], options["height"]], tf.float32)
    side = tf.reduce_min(wanted)
    factor = options["zoom_least"] + (options["zoom_most"] - options["zoom_least"]) * zoom
    scale = factor * options["span"] * side / tf.maximum(tf.reduce_max(high - low), SMALLEST)
    scale = tf.clip_by_value(scale, 1.0 / FURTHEST, FURTHEST)
    cosine, sine = scale * tf.cos(turn), scale * tf.sin(turn)
    linear = tf.reshape(tf.stack([cosine, -sine, sine, cosine]), [2, 2])
    middle = wanted / 2 + (2.0 * tf.stack(shift) - 1.0) * options["shift"] * side
    return tf.concat(
        [linear, (middle - tf.linalg.matvec(linear, (low + high) / 2))[:, None]], axis=1
    )


def mirror(affine: Affine, width: int) -> Affine:
    """The map followed by a mirror in the middle column of an example `width` pixels wide."""
    return tf.constant([[-1.0], [1.0]]) * affine + tf.constant(
        [[0.0, 0.0, float(width)], [0.0, 0.0, 0.0]]
    )


def warped(
    image: tf.Tensor, affine: Affine, options: Mapping[str, Any]
) -> Float[tf.Tensor, "h w 3"]:
    """The picture of a JPEG file under an affine map, from -1 to 1; 0, grey, where it does not
    reach.

    A picture that is reduced to a half or less is first averaged over whole squares of pixels, so
    that none is lost.
    """
    pixels = tf.io.decode_jpeg(image, channels=3, dct_method="INTEGER_ACCURATE")
    zoom = tf.sqrt(tf.abs(tf.linalg.det(affine[:, :2])))
    factor = tf.maximum(tf.cast(1.0 / zoom, tf.int32), 1)
    pixels = tf.cast(pixels, tf.float32)[None] / 127.5 - 1.0
    before = tf.cast(tf.shape(pixels)[1:3], tf.float32)
    smaller = tf.maximum(tf.shape(pixels)[1:3] // factor, 1)
    pixels = tf.cond(factor > 1, lambda: tf.image.resize(pixels, smaller, "area"), lambda: pixels)
    stretch = before / tf.cast(
        tf.shape(pixels)[1:3], tf.float32
    )  # pixels of the file to one of `pixels`: y, x
    affine = affine * tf.concat([stretch[::-1], [1.0]], axis=0)
    found = _warp(pixels, affine, (options["height"], options["width"]), "BILINEAR")[0]
    return tf.ensure_shape(found, (options["height"], options["width"], 3))


def targets(
    people: People, example: Mapping[str, tf.Tensor], affine: Affine, options: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """What the network should answer: `joints` [i j 14], `limbs` [i j 26], and `weights` [i j] of
    its errors.

    Weights are 0 in the middle of ignored places, else 1; those outside of the picture count.
    """
    rows, columns = options["height"] // STRIDE, options["width"] // STRIDE
    maps = gaussians(people, sigma=options["sigma"], rows=rows, columns=columns)
    ignored = tf.cast(example["ignored"], tf.float32)[None, :, :, None]
    left_out = _warp(ignored, affine / STRIDE, (rows, columns), "NEAREST")[0, :, :, 0]
    fields = affinity_fields(people, thickness=options["thickness"], rows=rows, columns=columns)
    return {"joints": maps, "limbs": fields, "weights": tf.where(left_out > 0, 0.0, 1.0)}


def _warp(pixels: tf.Tensor, affine: Affine, shape: tuple[int, int], method: str) -> tf.Tensor:
    """Pictures [1 h w c] under an affine map, 0 where they do not reach.

    The operation is told where each pixel comes from, and counts pixels by their numbers, not by
    their places.
    """
    linear = tf.linalg.inv(affine[:, :2])
    offset = tf.linalg.matvec(linear, 0.5 - affine[:, 2]) - 0.5
    rows = tf.concat([linear, offset[:, None]], axis=1)
    numbers = tf.concat([tf.reshape(rows, [6]), [0.0, 0.0]], axis=0)[None]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pixels,
        transforms=numbers,
        output_shape=tf.constant(shape, tf.int32),
        fill_value=0.0,
        interpolation=method,
        fill_mode="CONSTANT",
    )


def _size(example: Mapping[str, tf.Tensor]) -> Float[tf.Tensor, "2"]:
    return tf.stack([tf.cast(example[name], tf.float32) for name in ("width", "height")])


def _inside(people: People, example: Mapping[str, tf.Tensor]) -> Bool[tf.Tensor, "m 14"]:
    """Which joints are there and in the picture."""
    places, seen = people
    return tf.reduce_all((places >= 0) & (places <= _size(example)), axis=-1) & (seen > 0)
