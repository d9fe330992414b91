"""Pictures with people to examples for the pose network: `train` and `evaluate`, both pure.

record {image: JPEG, height, width, joints f32 [1 m v (x, y, visibility)], ignored u8 [h w], id}
  -> one affine map (zoom, turn, shift, mirror) of picture, joints and ignored regions
  -> {inputs f32 [h w 3] in [-1, 1], targets {joints, limbs, weights}}

Coordinates are pixels from the picture's top left corner, so the centre of its first pixel is (0.5,
0.5). A joint of visibility 0 is missing, 1 is hidden but annotated, 2 is visible. Joints may have
any layout that converts to `body-14`.

The options are fields of a config. Of the clip:
  height, width: of an example, pixels; multiples of 8.
  sigma: of a joint's Gaussian, pixels of the example.
  thickness: cells of 8 pixels to either side of a limb in which its field is set.
  persons: people in an evaluation example, those of the file's first rows.
Of the augmentation:
  zoom_least, zoom_most: range of a random factor on the zoom that makes a random person `span` of
  the example's shorter side high.
  span: that share; 0.6 in the lightweight OpenPose whose augmentation this follows.
  rotate: largest turn, degrees either way.
  shift: largest distance of that person from the centre along each axis, share of the shorter side.
  mirror: left/right mirror with probability 1/2.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from jaxtyping import Bool, Float, Int

from jaxact.errors import UserError
from jaxact.pipeline.pose_joints import People, body_joints
from jaxact.pipeline.pose_targets import STRIDE, heatmaps, part_affinity_fields
from jaxact.pipeline.seeds import subseed
from jaxact.skeletons import Layout
from jaxact.skeletons.pose_body import BODY

MIN_SPAN = 16.0  # pixels; people whose joints span less are zoomed as if they spanned this
MAX_ZOOM = 8.0  # largest factor of magnification or reduction
CLIP = ("height", "width", "sigma", "thickness", "persons")
AUGMENT = ("zoom_least", "zoom_most", "span", "rotate", "shift", "mirror")
FIELDS = ("id", "image", "height", "width", "joints", "ignored")

Affine = Float[tf.Tensor, "2 3"]  # from pixels of the picture to pixels of the example


def train(
    example: Mapping[str, tf.Tensor], seed: Int[tf.Tensor, "2"], *, layout: Layout, **options: Any
) -> dict[str, Any]:
    """A training example: `inputs` and the dict `targets`, see `make_targets`.

    Args:
        example: a record.
        seed: int64 pair (seed below 2**32, position). The same seed and record give the same bytes.
        layout: layout of the record's joints.
        options: fields of the clip and augment sections.
    """
    people = body_joints(example["joints"][0], layout)
    affine = random_affine(people, example, seed=seed, options=options)
    mirror_probability = 0.5 if options["mirror"] else 0.0
    draw = tf.random.stateless_uniform([], subseed(seed, "mirror"))
    is_mirrored = draw < mirror_probability
    affine = tf.where(is_mirrored, mirror_affine(affine, options["width"]), affine)
    positions, visibility = transform(people, affine)
    order = tf.where(is_mirrored, list(BODY.mirrored()), list(range(len(BODY.joints))))
    people = tf.gather(positions, order, axis=1), tf.gather(visibility, order, axis=1)
    return {
        "inputs": warp_jpeg(example["image"], affine, options),
        "targets": make_targets(people, example, affine, options),
    }


def evaluate(example: Mapping[str, tf.Tensor], *, layout: Layout, **options: Any) -> dict[str, Any]:
    """An evaluation example: the whole picture, letterboxed with grey.

    Args:
        example: a record, as for `train`.
        layout: layout of the record's joints.
        options: fields of the clip section.

    Returns:
        `inputs` [1 h w 3]; `targets`, with `people` f32 [persons 14 3], those with a joint in the
        picture, in pixels of the example, zero for a missing joint or an empty row, and `letterbox`
        f32 [3] (zoom, left, top): x in the example is (x - left) / zoom in the picture; `id`.
    """
    affine = letterbox_affine(example, options)
    people = body_joints(example["joints"][0], layout)
    inside = _inside(people, example)
    people = transform(people, affine)
    packed = tf.concat([people[0], people[1][..., None]], axis=-1)
    packed = tf.where(inside[..., None], packed, 0.0)
    packed = tf.boolean_mask(packed, tf.reduce_any(packed[..., 2] > 0, axis=1))
    packed = packed[: options["persons"]]
    packed = tf.pad(packed, [[0, options["persons"] - tf.shape(packed)[0]], [0, 0], [0, 0]])
    return {
        "inputs": warp_jpeg(example["image"], affine, options)[None],
        "targets": {
            **make_targets(people, example, affine, options),
            "people": tf.ensure_shape(packed, (options["persons"], len(BODY.joints), 3)),
            "letterbox": tf.stack([affine[0, 0], affine[0, 2], affine[1, 2]]),
        },
        "id": example["id"],
    }


def input_shape(*, clip: Mapping[str, Any]) -> tuple[int, int, int]:
    """The shape [h, w, c] of one view of an input."""
    return (clip["height"], clip["width"], 3)


def check(*, clip: Mapping[str, Any], augment: Mapping[str, Any] | None) -> None:
    """Raises UserError for options that are missing, out of range, or contradict each other."""
    for section, names, options in (("clip", CLIP, clip), ("augment", AUGMENT, augment)):
        for name in names:
            if options is not None and name not in options:
                raise UserError(
                    "the records are pictures with joints, "
                    f"but the config's options lack {section}.{name}"
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


def transform(people: People, affine: Affine) -> People:
    """The people's joints under an affine map; missing ones stay zero."""
    positions, visibility = people
    positions = tf.einsum("dc,mjc->mjd", affine[:, :2], positions) + affine[:, 2]
    return tf.where(visibility[..., None] > 0, positions, 0.0), visibility


def letterbox_affine(example: Mapping[str, tf.Tensor], options: Mapping[str, Any]) -> Affine:
    """The map that centres the whole picture in the example and keeps its aspect ratio."""
    size = _size(example)
    example_size = tf.constant([options["width"], options["height"]], tf.float32)
    zoom = tf.reduce_min(example_size / size)
    corner = (example_size - zoom * size) / 2
    return tf.concat([zoom * tf.eye(2), corner[:, None]], axis=1)


def random_affine(
    people: People,
    example: Mapping[str, tf.Tensor],
    *,
    seed: Int[tf.Tensor, "2"],
    options: Mapping[str, Any],
) -> Affine:
    """The map that moves a random person near the centre of the example, zoomed and turned.

    All people with a joint in the picture are equally likely. A person's size is the longer side of
    the box around their joints. In a picture without people, the frame takes a person's place.
    """
    person_draw, zoom_draw, *shift_draws = tf.unstack(
        tf.random.stateless_uniform([4], subseed(seed, "crop"))
    )
    turn_draw = tf.random.stateless_uniform([], subseed(seed, "rotate"), -1.0, 1.0)
    turn = turn_draw * options["rotate"] * (np.pi / 180)
    low, high = _random_person_box(people, example, person_draw)
    example_size = tf.constant([options["width"], options["height"]], tf.float32)
    side = tf.reduce_min(example_size)
    zoom_range = options["zoom_most"] - options["zoom_least"]
    factor = options["zoom_least"] + zoom_range * zoom_draw
    scale = factor * options["span"] * side / tf.maximum(tf.reduce_max(high - low), MIN_SPAN)
    scale = tf.clip_by_value(scale, 1.0 / MAX_ZOOM, MAX_ZOOM)
    cosine, sine = scale * tf.cos(turn), scale * tf.sin(turn)
    linear = tf.reshape(tf.stack([cosine, -sine, sine, cosine]), [2, 2])
    centre = example_size / 2 + (2.0 * tf.stack(shift_draws) - 1.0) * options["shift"] * side
    offset = centre - tf.linalg.matvec(linear, (low + high) / 2)
    return tf.concat([linear, offset[:, None]], axis=1)


def _random_person_box(
    people: People, example: Mapping[str, tf.Tensor], draw: Float[tf.Tensor, ""]
) -> tuple[Float[tf.Tensor, "2"], Float[tf.Tensor, "2"]]:
    """The corners of the box around a random person's joints, or around the picture."""
    positions, visibility = people
    in_picture = tf.reduce_any(_inside(people, example), axis=1)
    count = tf.reduce_sum(tf.cast(in_picture, tf.int32))
    number = tf.minimum(tf.cast(draw * tf.cast(count, tf.float32), tf.int32), count - 1)
    is_drawn = in_picture & (tf.cumsum(tf.cast(in_picture, tf.int32)) == number + 1)
    points = tf.cond(
        count > 0,
        lambda: tf.boolean_mask(positions, (visibility > 0) & is_drawn[:, None]),
        lambda: tf.stack([tf.zeros(2), _size(example)]),
    )
    return tf.reduce_min(points, axis=0), tf.reduce_max(points, axis=0)


def mirror_affine(affine: Affine, width: int) -> Affine:
    """The map followed by a mirror at the centre column of an example `width` pixels wide."""
    signs = tf.constant([[-1.0], [1.0]])
    return signs * affine + tf.constant([[0.0, 0.0, float(width)], [0.0, 0.0, 0.0]])


def warp_jpeg(
    image: tf.Tensor, affine: Affine, options: Mapping[str, Any]
) -> Float[tf.Tensor, "h w 3"]:
    """The picture of a JPEG file under an affine map, in [-1, 1]; 0, grey, outside of it.

    A picture reduced to a half or less is first averaged over whole squares of pixels, so that
    every pixel contributes.
    """
    pixels = tf.io.decode_jpeg(image, channels=3, dct_method="INTEGER_ACCURATE")
    zoom = tf.sqrt(tf.abs(tf.linalg.det(affine[:, :2])))
    factor = tf.maximum(tf.cast(1.0 / zoom, tf.int32), 1)
    pixels = tf.cast(pixels, tf.float32)[None] / 127.5 - 1.0
    size = tf.cast(tf.shape(pixels)[1:3], tf.float32)
    reduced_size = tf.maximum(tf.shape(pixels)[1:3] // factor, 1)
    pixels = tf.cond(
        factor > 1, lambda: tf.image.resize(pixels, reduced_size, "area"), lambda: pixels
    )
    # Pixels of the file per reduced pixel, along y and x.
    stretch = size / tf.cast(tf.shape(pixels)[1:3], tf.float32)
    affine = affine * tf.concat([stretch[::-1], [1.0]], axis=0)
    shape = (options["height"], options["width"])
    return tf.ensure_shape(_warp(pixels, affine, shape, "BILINEAR")[0], (*shape, 3))


def make_targets(
    people: People, example: Mapping[str, tf.Tensor], affine: Affine, options: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """The network's targets: `joints` [i j 14], `limbs` [i j 26], and loss `weights` [i j].

    Weights are 0 at the centres of ignored regions, else 1; cells outside of the picture count.
    """
    rows, columns = options["height"] // STRIDE, options["width"] // STRIDE
    maps = heatmaps(people, sigma=options["sigma"], rows=rows, columns=columns)
    ignored = tf.cast(example["ignored"], tf.float32)[None, :, :, None]
    is_ignored = _warp(ignored, affine / STRIDE, (rows, columns), "NEAREST")[0, :, :, 0] > 0
    fields = part_affinity_fields(
        people, thickness=options["thickness"], rows=rows, columns=columns
    )
    return {"joints": maps, "limbs": fields, "weights": tf.where(is_ignored, 0.0, 1.0)}


def _warp(pixels: tf.Tensor, affine: Affine, shape: tuple[int, int], method: str) -> tf.Tensor:
    """Pictures [1 h w c] under an affine map, 0 outside of them.

    The operation takes the inverse map, and counts pixels by index, not by their centres.
    """
    linear = tf.linalg.inv(affine[:, :2])
    offset = tf.linalg.matvec(linear, 0.5 - affine[:, 2]) - 0.5
    rows = tf.concat([linear, offset[:, None]], axis=1)
    coefficients = tf.concat([tf.reshape(rows, [6]), [0.0, 0.0]], axis=0)[None]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pixels,
        transforms=coefficients,
        output_shape=tf.constant(shape, tf.int32),
        fill_value=0.0,
        interpolation=method,
        fill_mode="CONSTANT",
    )


def _size(example: Mapping[str, tf.Tensor]) -> Float[tf.Tensor, "2"]:
    """Width and height of the picture."""
    width, height = example["width"], example["height"]
    return tf.stack([tf.cast(width, tf.float32), tf.cast(height, tf.float32)])


def _inside(people: People, example: Mapping[str, tf.Tensor]) -> Bool[tf.Tensor, "m 14"]:
    """Which joints are present and in the picture."""
    positions, visibility = people
    in_bounds = tf.reduce_all((positions >= 0) & (positions <= _size(example)), axis=-1)
    return in_bounds & (visibility > 0)
