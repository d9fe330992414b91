"""A picture with people becomes an example for the pose network: where things land, what is to be
answered.
"""

import dataclasses
import io
import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from jaxact.config.pose_model import PoseAugmentConfig, PoseClipConfig
from jaxact.errors import UserError
from jaxact.pipeline import images, pose_joints, pose_picture, pose_targets
from jaxact.skeletons import LAYOUTS, Layout, convert
from jaxact.skeletons.pose_body import BODY, LIMBS, body_matrix
from tests.helpers import poses

CLIP = {"height": 48, "width": 64, "sigma": 7.0, "thickness": 1.0, "persons": 3}
PLAIN = {
    "zoom_least": 1.0,
    "zoom_most": 1.0,
    "span": 0.6,
    "rotate": 0.0,
    "shift": 0.0,
    "mirror": False,
}
WIDE = {
    "zoom_least": 0.5,
    "zoom_most": 1.1,
    "span": 0.6,
    "rotate": 40.0,
    "shift": 0.1,
    "mirror": True,
}
HEIGHT, WIDTH = 90, 120
SIDES = ((4, 13), (7, 10))  # right wrist and left ankle, and what a mirror makes of them


def picture(height=HEIGHT, width=WIDTH) -> np.ndarray:
    """Red is x, green is y: colours tell where a pixel is from."""
    y, x = np.mgrid[:height, :width] + 0.5
    return np.stack([255 * x / width, 255 * y / height, 0 * x + 128], axis=-1).astype(np.uint8)


def jpeg(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=98, subsampling=0)
    return stream.getvalue()


def record(
    *people: np.ndarray, ignored: np.ndarray | None = None, pixels: np.ndarray | None = None
):
    joints = (
        np.array(people, np.float32).reshape(1, len(people), -1, 3)
        if people
        else np.zeros((1, 0, 14, 3), "f4")
    )
    pixels = picture() if pixels is None else pixels
    return {
        "id": tf.constant("one"),
        "label": tf.constant(0, tf.int64),
        "image": tf.constant(jpeg(pixels)),
        "height": tf.constant(pixels.shape[0]),
        "width": tf.constant(pixels.shape[1]),
        "joints": tf.constant(joints),
        "ignored": tf.constant(
            np.zeros(pixels.shape[:2], np.uint8) if ignored is None else ignored
        ),
    }


def train(example, position=0, layout=BODY, **options):
    pair = tf.constant([5, position], tf.int64)
    return numbers(pose_picture.train(example, pair, layout=layout, **{**CLIP, **PLAIN, **options}))


def evaluate(example, layout=BODY, **options):
    return numbers(pose_picture.evaluate(example, layout=layout, **{**CLIP, **options}))


def numbers(tree):
    return tf.nest.map_structure(lambda leaf: leaf.numpy(), tree)


def one(x=60.0, y=20.0, height=60.0, **moved):
    return poses.person(x, y, height, **moved)


def as_people(*people):
    joints = tf.constant(np.array(people, np.float32).reshape(-1, 14, 3))
    return joints[..., :2], joints[..., 2]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_maps_are_their_definitions_person_by_person(count):
    people = [one(), one(90.0, 8.0, 70.0, j4=(0.3, 0.1)), one(75.0, 30.0, 40.0)][:count]
    for person, joint in zip(people, (0, 4, 9), strict=False):
        person[joint] = 0
    sizes = {"rows": 13, "columns": 17}
    joints, limbs = poses.maps(people, 13, 17, sigma=6.0, thickness=1.2)
    output = pose_targets.heatmaps(as_people(*people), sigma=6.0, **sizes)
    np.testing.assert_allclose(output, joints, atol=1e-5)
    fields = pose_targets.part_affinity_fields(as_people(*people), thickness=1.2, **sizes)
    np.testing.assert_allclose(fields, limbs, atol=1e-5)
    assert bool(joints.any()) == bool(limbs.any()) == bool(count)


def test_a_limb_without_length_and_people_face_to_face_leave_no_direction():
    still = one()
    still[2] = still[1]
    sizes = {"rows": 12, "columns": 16, "thickness": 1.0}
    fields = (
        pose_targets.part_affinity_fields(as_people(still), **sizes).numpy().reshape(12, 16, 13, 2)
    )
    assert not fields[:, :, 0].any() and fields[:, :, 1].any() and np.isfinite(fields).all()
    facing, back = one(), one()
    back[[8, 9]] = back[[9, 8]]
    fields = (
        pose_targets.part_affinity_fields(as_people(facing, back), **sizes)
        .numpy()
        .reshape(12, 16, 13, 2)
    )
    np.testing.assert_allclose(fields[:, :, 7], 0, atol=1e-6)


def test_an_evaluation_example_is_the_whole_picture_in_the_middle():
    example = record(one())
    output = evaluate(example, height=64, width=64)
    zoom, left, top = output["targets"]["letterbox"]
    assert (zoom, left, top) == pytest.approx((64 / 120, 0, 8)) and output["inputs"].shape == (
        1,
        64,
        64,
        3,
    )
    inputs = (output["inputs"][0] + 1) * 127.5
    assert np.abs(inputs[:7] - 127.5).max() == np.abs(inputs[-7:] - 127.5).max() == 0
    middle = np.arange(2, 62) + 0.5
    np.testing.assert_allclose(inputs[32, 2:62, 0], 255 * middle / 64, atol=3)
    np.testing.assert_allclose(
        inputs[12:52, 32, 1], 255 * (np.arange(12, 52) + 0.5 - 8) / 48, atol=3
    )
    expected = one()
    expected[:, :2] = expected[:, :2] * zoom + (left, top)
    np.testing.assert_allclose(output["targets"]["people"][0], expected, rtol=1e-5)
    assert not output["targets"]["people"][1:].any() and output["id"] == b"one"
    np.testing.assert_allclose(
        output["targets"]["joints"], poses.maps([expected], 8, 8)[0], atol=1e-4
    )
    np.testing.assert_allclose(
        output["targets"]["limbs"], poses.maps([expected], 8, 8)[1], atol=1e-4
    )
    assert (output["targets"]["weights"] == 1).all()


def test_no_more_people_than_asked_for_are_held_and_all_are_in_the_maps():
    output = evaluate(record(one(30.0), one(60.0), one(90.0)), persons=2)["targets"]
    assert output["people"].shape == (2, 14, 3) and output["people"].all()
    assert (output["joints"].max((0, 1)) > 0.3).all() and (
        output["joints"][:, 5:].max((0, 1)) > 0.3
    ).any()


def test_in_training_the_drawn_person_is_span_high_and_in_the_middle():
    output = train(record(one(60.0, 20.0, 60.0)))
    scale = 0.6 * 48 / 60
    expected = one(32.0, 24 - 0.3 * 48, 60 * scale)
    np.testing.assert_allclose(
        output["targets"]["joints"], poses.maps([expected], 6, 8)[0], atol=1e-4
    )
    red = (output["inputs"][24, :, 0] + 1) * 127.5  # column 32 shows the person's x, 60 of 120
    np.testing.assert_allclose(
        red[[16, 32, 48]], 255 * (60 + (np.array([16, 32, 48]) + 0.5 - 32) / scale) / 120, atol=3
    )


def test_picture_joints_and_ignored_places_move_together():
    """A dark square around a joint, and an ignored one around another, stay where these joints
    are.
    """
    base = one(60.0, 15.0, 65.0, j4=(-0.35, 0.3), j13=(0.35, 0.8))
    pixels, ignored = (
        np.full((HEIGHT, WIDTH, 3), 255, np.uint8),
        np.zeros((HEIGHT, WIDTH), np.uint8),
    )
    for target, joint, value in ((pixels, 4, 0), (ignored, 13, 1)):
        x, y = base[joint, :2].astype(int)
        target[y - 7 : y + 8, x - 7 : x + 8] = value
    example = record(base, pixels=pixels, ignored=ignored)
    mirrored = []
    for position in range(12):
        output = train(
            example, position, height=192, width=192, **{**WIDE, "zoom_least": 0.8, "span": 0.5}
        )
        joints, weights = output["targets"]["joints"], output["targets"]["weights"]
        dark = np.argwhere((output["inputs"] + 1).sum(-1) < 1).mean(0) / 8
        unknown = np.argwhere(weights == 0).mean(0) + 0.5
        plain, mirrored_values = (
            [joints[int(y), int(x), j] for (y, x), j in ((dark, a), (unknown, b))] for a, b in SIDES
        )
        mirrored.append(bool(mirrored_values[0] > plain[0]))
        assert min(mirrored_values if mirrored[-1] else plain) > 0.3
    assert 2 <= sum(mirrored) <= 10


def test_a_mirror_exchanges_the_sides_of_joints_limbs_and_picture():
    example = record(one(60.0, 20.0, 60.0, j4=(-0.24, 0.1)))
    plain = train(example)
    order = list(BODY.mirrored())
    limbs = [LIMBS.index((order[first], order[second])) for first, second in LIMBS]
    fields = plain["targets"]["limbs"].reshape(6, 8, 13, 2)[:, ::-1, limbs] * (-1, 1)
    expected = (
        plain["inputs"][:, ::-1],
        plain["targets"]["joints"][:, ::-1, order],
        fields.reshape(6, 8, 26),
    )
    mirror_count = 0
    for position in range(16):
        output = train(example, position, mirror=True)
        parts = output["inputs"], output["targets"]["joints"], output["targets"]["limbs"]
        if np.abs(parts[1] - plain["targets"]["joints"]).max() < 1e-3:
            np.testing.assert_array_equal(parts[0], plain["inputs"])
            continue
        mirror_count += 1
        for part, other in zip(parts, expected, strict=True):
            np.testing.assert_allclose(part, other, atol=1e-3)
    assert 3 <= mirror_count <= 13


def test_draws_cover_what_was_asked_for():
    base, zooms, turns, shifts = one(60.0, 20.0, 50.0), [], [], []
    people, example = as_people(base), record(base)
    for position in range(60):
        seed = tf.constant([1, position], tf.int64)
        affine = pose_picture.random_affine(people, example, seed=seed, options=CLIP | WIDE).numpy()
        zooms.append(np.sqrt(np.linalg.det(affine[:, :2])) * 50 / (0.6 * 48))
        turns.append(np.degrees(np.arctan2(affine[1, 0], affine[0, 0])))
        box = (base[:, :2].min(0) + base[:, :2].max(0)) / 2
        shifts.append((affine[:, :2] @ box + affine[:, 2] - (32, 24)) / 48)
    for values, low, high in ((zooms, 0.5, 1.1), (turns, -40, 40), (np.ravel(shifts), -0.1, 0.1)):
        room = 0.15 * (high - low)
        assert low - 1e-4 <= min(values) < low + room and high - room < max(values) <= high + 1e-4


def test_everybody_is_drawn_and_nobody_else():
    left, right, nobody = (
        one(30.0, 20.0, 40.0),
        one(90.0, 20.0, 40.0),
        np.zeros((14, 3), np.float32),
    )
    options, middles = CLIP | PLAIN, []
    for position in range(24):
        seed = tf.constant([1, position], tf.int64)
        affine = pose_picture.random_affine(
            as_people(left, nobody, right), record(), seed=seed, options=options
        ).numpy()
        middles.append(round(float(((32, 24) - affine[:, 2])[0] / affine[0, 0])))
    assert set(middles) == {30, 90} and 6 <= middles.count(30) <= 18


def test_people_beyond_the_picture_are_neither_drawn_nor_wanted_back():
    inside, outside, leaving = one(40.0, 20.0, 40.0), one(300.0, 20.0, 40.0), one(115.0, 20.0, 40.0)
    options, middles = CLIP | PLAIN, set()
    for position in range(12):
        seed = tf.constant([1, position], tf.int64)
        affine = pose_picture.random_affine(
            as_people(outside, inside, leaving), record(), seed=seed, options=options
        ).numpy()
        middles.add(round(float(((32, 24) - affine[:, 2])[0] / affine[0, 0])))
    assert middles == {40, 115}
    people = evaluate(record(outside, leaving, inside))["targets"]["people"]
    beyond = leaving[:, 0] > WIDTH
    assert 0 < beyond.sum() < 14
    np.testing.assert_array_equal(people[0, :, 2], np.where(beyond, 0, 2))
    assert people[1].all() and not people[2].any() and not people[0][beyond].any()


def test_a_picture_without_anybody_and_a_person_of_one_joint_are_examples_too():
    output = train(record(), **WIDE)
    assert not output["targets"]["joints"].any() and np.isfinite(output["inputs"]).all()
    assert not evaluate(record())["targets"]["people"].any()
    lone = np.zeros((14, 3), np.float32)
    lone[3] = (60, 40, 1)
    output = train(record(lone))
    assert output["targets"]["joints"].max() > 0.5 and not output["targets"]["limbs"].any()
    red = (output["inputs"][24, :, 0] + 1) * 127.5
    assert np.ptp(red[red != 127.5]) == pytest.approx(255 * 64 / (0.6 * 48 / 16) / 120, abs=12)


def test_ignored_places_have_no_weight_and_the_outside_has():
    ignored = np.zeros((HEIGHT, WIDTH), np.uint8)
    ignored[:, 80:] = 1
    output = evaluate(record(one(), ignored=ignored), height=64, width=64)["targets"]["weights"]
    columns = (np.arange(8) + 0.5) * 8 * 120 / 64
    inside = (np.arange(8) >= 1) & (np.arange(8) < 7)
    expected = np.where(inside[:, None] & (columns > 80), 0.0, 1.0)
    np.testing.assert_array_equal(output, expected)


def test_large_pictures_are_averaged_and_not_thinned_out():
    """Stripes of one pixel become grey, not black or white."""
    pixels = np.zeros((240, 320, 3), np.uint8)
    pixels[:, ::2] = 255
    output = evaluate(record(pixels=pixels))["inputs"]
    assert np.abs(output).max() < 0.21  # five of them in one square


def test_the_same_seed_and_record_give_the_same_bytes():
    example = record(one(), one(90.0))
    first, again = (train(example, 3, **WIDE) for _ in range(2))
    tf.nest.map_structure(lambda a, b: np.testing.assert_array_equal(a, b), first, again)
    assert len({train(example, position, **WIDE)["inputs"].tobytes() for position in range(6)}) == 6


@pytest.mark.parametrize(
    "name", ["coco-17", "openpose-18", "jhmdb-15", "body-14", "body-25", "kinect-20"]
)
def test_bodies_are_made_as_the_conversion_of_layouts_makes_them(name):
    layout, random = LAYOUTS[name], np.random.default_rng(0)
    joints = random.uniform(5, 90, (4, len(layout.joints), 3)).astype(np.float32)
    joints[..., 2] = random.choice([0, 1, 2], (4, len(layout.joints)), p=[0.15, 0.25, 0.6])
    joints[joints[..., 2] == 0] = 0
    expected = convert(joints, name, "body-14", channels=("x", "y", "score"))
    positions, visibility = pose_joints.body_joints(tf.constant(joints), layout)
    np.testing.assert_allclose(positions, expected[..., :2], rtol=1e-5)
    np.testing.assert_array_equal(
        visibility, np.where(expected[..., :2].any(-1), expected[..., 2], 0)
    )


def test_layouts_of_ones_own_give_a_body_by_their_names():
    parts = "ankle knee hip hip knee ankle wrist elbow shoulder shoulder elbow wrist"
    sides = "right right right left left left right right right left left left"
    names = [f"{side}_{part}" for side, part in zip(sides.split(), parts.split(), strict=True)]
    edges = [[joint, 12] for joint in (*range(12), 13)]
    content = {"name": "lsp-14", "joints": [*names, "neck", "head"], "edges": edges, "centre": 12}
    matrix = body_matrix(Layout.from_dict(content))
    order = matrix.argmax(1)
    assert (matrix.sum(1) == 1).all() and order.tolist() == [
        13,
        12,
        8,
        7,
        6,
        9,
        10,
        11,
        2,
        1,
        0,
        3,
        4,
        5,
    ]
    legs = Layout.from_dict(
        {"name": "legs", "joints": ["hip", "knee"], "edges": [[1, 0]], "centre": 0}
    )
    with pytest.raises(
        UserError,
        match=r"layout 'legs' has no joint 'head', of which the pose network's body is made",
    ):
        body_matrix(legs)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"height": 50}, r"clip.height is 50, but must be a multiple of 8 pixels"),
        ({"width": 0}, r"clip.width is 0, but must be a multiple of 8 pixels"),
        ({"sigma": 0.0}, r"clip.sigma is 0.0, but must be above 0"),
        ({"span": -1.0}, r"augment.span is -1.0, but must be above 0"),
        ({"persons": 0}, r"clip.persons is 0, but must be at least 1"),
        ({"zoom_most": 0.2}, r"augment.zoom_most is 0.2, but must be at least zoom_least, 1.0"),
    ],
)
def test_options_that_make_no_sense_say_so(options, problem):
    clip, augment = (
        {name: value for name, value in {**CLIP, **PLAIN, **options}.items() if name in names}
        for names in (CLIP, PLAIN)
    )
    with pytest.raises(UserError, match=problem):
        pose_picture.check(clip=clip, augment=augment)


def test_the_sections_hold_the_options_and_their_defaults_make_sense():
    clip, augment = (
        dataclasses.asdict(section()) for section in (PoseClipConfig, PoseAugmentConfig)
    )
    pose_picture.check(clip=clip, augment=augment)
    assert set(clip) == {*pose_picture.CLIP, "views"} and set(augment) == set(pose_picture.AUGMENT)


def test_options_of_another_kind_of_record_are_refused():
    for clip, augment, option in (
        (({"frames": 5}), None, "clip.height"),
        (CLIP, {}, "augment.zoom_least"),
    ):
        problem = f"the records are pictures with joints, but the config's options lack {option}"
        with pytest.raises(UserError, match=problem):
            pose_picture.check(clip=clip, augment=augment)
    assert pose_picture.input_shape(clip=CLIP) == (48, 64, 3)


def test_examples_are_made_inside_tensorflow_with_static_shapes():
    example = record(one(), one(90.0))
    data = tf.data.Dataset.from_tensors(example).repeat(2).enumerate()
    pair = lambda position: tf.stack([tf.constant(5, tf.int64), position])  # noqa: E731
    dataset = data.map(
        lambda position, each: pose_picture.train(each, pair(position), layout=BODY, **CLIP, **WIDE)
    )
    shapes = tf.nest.map_structure(lambda spec: tuple(spec.shape), dataset.element_spec)
    assert shapes["inputs"] == (48, 64, 3)
    assert shapes["targets"] == {"joints": (6, 8, 14), "limbs": (6, 8, 26), "weights": (6, 8)}
    for position, output in enumerate(itertools.islice(dataset.as_numpy_iterator(), 2)):
        np.testing.assert_allclose(
            output["inputs"], train(example, position, **WIDE)["inputs"], atol=1e-5
        )


@pytest.mark.parametrize("size", [(48, 80), (90, 30), (20, 20), (300, 77)])
def test_a_streamed_picture_is_letterboxed_as_a_record_up_to_whole_pixels(size):
    pixels = picture(*size)
    streamed, zoom, corner = images.letterbox(pixels, (48, 64))
    example = {"width": tf.constant(size[1]), "height": tf.constant(size[0])}
    affine = pose_picture.letterbox_affine(example, CLIP).numpy()
    for edge in (0, size[1]):
        assert abs(edge * zoom[0] + corner[0] - (edge * affine[0, 0] + affine[0, 2])) <= 1
    for edge in (0, size[0]):
        assert abs(edge * zoom[1] + corner[1] - (edge * affine[1, 1] + affine[1, 2])) <= 1
    inputs = evaluate(record(pixels=pixels))["inputs"][0]
    colour = (streamed != 0).any(-1) & (inputs != 0).any(-1)
    assert colour.mean() > 0.15 and np.abs(streamed - inputs)[colour].mean() < 0.1


def test_joints_come_back_from_the_letterbox_and_missing_ones_stay_zero():
    people = np.array([one(), np.zeros((14, 3))])
    people[0, 3] = 0
    corner = np.array([4.0, 9.0])
    in_example = people.copy()
    in_example[..., :2] = people[..., :2] * 0.7 + corner
    np.testing.assert_allclose(
        pose_joints.undo_letterbox(in_example, 0.7, corner), people, atol=1e-5
    )
