"""A record becomes an example: the whole way, for every kind of record."""

import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf

from jaxact.config import AugmentConfig, ClipConfig
from jaxact.errors import UserError
from jaxact.pipeline import skeleton
from jaxact.skeletons import get_layout

KINDS = {
    "3-D": ("ntu-25", ("x", "y", "z")),
    "2-D": ("jhmdb-15", ("x", "y")),
    "2-D with score": ("openpose-18", ("x", "y", "score")),
}
EVERYTHING = {
    "rotate": 0.3,
    "rescale": 0.1,
    "jitter": 0.01,
    "mirror": True,
    "swap": True,
    "drop_joints": 0.2,
}


def record(kind, frames=20, people=3, seed=0):
    layout, channels = KINDS[kind]
    rng = np.random.default_rng(seed)
    x = rng.uniform(
        0.1, 1.0, (frames, people, len(get_layout(layout).joints), len(channels))
    ).astype(np.float32)
    x[rng.uniform(size=x.shape[:3]) < 0.2] = 0
    return {"id": tf.constant("clip"), "joints": tf.constant(x), "label": tf.constant(3, tf.int64)}


def train(kind, example, position=0, augment=None, **clip):
    layout, channels = KINDS[kind]
    options = dataclasses.asdict(ClipConfig(**clip)) | dataclasses.asdict(
        AugmentConfig(**(augment or {}))
    )
    pair = tf.constant([5, position], tf.int64)
    return skeleton.train(example, pair, layout=get_layout(layout), channels=channels, **options)


def evaluate(kind, example, **clip):
    layout, channels = KINDS[kind]
    options = dataclasses.asdict(ClipConfig(**clip))
    return skeleton.evaluate(example, layout=get_layout(layout), channels=channels, **options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stream", ["joint", "bone_motion"])
def test_the_same_seed_and_record_give_the_same_bytes_and_another_position_others(kind, stream):
    example = record(kind)
    clip = {
        "frames": 12,
        "sampling": "resize",
        "center": "frame",
        "scale": "skeleton",
        "stream": stream,
    }
    augment = EVERYTHING | {"crop": 0.5, "move": kind != "3-D"}
    if kind == "3-D":
        clip["align"] = True
    layout, channels = KINDS[kind]
    first = train(kind, example, augment=augment, **clip)
    repeated = train(kind, example, augment=augment, **clip)
    other = train(kind, example, position=1, augment=augment, **clip)
    assert first["inputs"].shape == (12, 2, len(get_layout(layout).joints), len(channels))
    assert first["targets"].dtype == tf.int32
    assert first["inputs"].numpy().tobytes() == repeated["inputs"].numpy().tobytes()
    assert first["inputs"].numpy().tobytes() != other["inputs"].numpy().tobytes()
    assert np.isfinite(first["inputs"]).all()
    assert np.any(first["inputs"])


@pytest.mark.parametrize("kind", KINDS)
def test_without_augmentation_training_sees_what_evaluation_sees(kind):
    example = record(kind)
    for sampling, stream in itertools.product(
        ("window", "resize"), ("joint", "bone", "joint_motion")
    ):
        clip = {"frames": 24, "sampling": sampling, "stream": stream, "center": "first"}
        trained, evaluated = train(kind, example, **clip), evaluate(kind, example, **clip)
        np.testing.assert_array_equal(evaluated["inputs"][0], trained["inputs"])
        assert int(evaluated["targets"]) == int(trained["targets"]) == 3
        assert evaluated["id"] == b"clip"


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_are_made_of_joints_without_a_label(kind):
    layout, channels = KINDS[kind]
    example = record(kind)
    options = dataclasses.asdict(ClipConfig(frames=12, views=2, stream="joint+bone"))
    inputs = skeleton.eval_inputs(
        {"joints": example["joints"]}, layout=get_layout(layout), channels=channels, **options
    )
    evaluated = evaluate(kind, example, frames=12, views=2, stream="joint+bone")
    np.testing.assert_array_equal(inputs, evaluated["inputs"])


def test_ntu_clips_as_released_are_the_first_two_bodies_and_zeros():
    example = record("3-D", frames=20)
    inputs = evaluate("3-D", example, frames=30)["inputs"].numpy()
    np.testing.assert_array_equal(inputs[0, :20], example["joints"][:, :2])
    assert inputs.shape == (1, 30, 2, 25, 3)
    assert not inputs[0, 20:].any()
    np.testing.assert_array_equal(
        evaluate("3-D", example, frames=7)["inputs"][0], example["joints"][:7, :2]
    )


def test_kinetics_clips_as_released_are_sorted_by_score_and_measured_from_the_middle():
    example = record("2-D with score", people=6)
    inputs = evaluate("2-D with score", example, frames=25, person="frame_score")["inputs"].numpy()
    expected = np.zeros((25, 2, 18, 3), np.float32)
    x = example["joints"].numpy()
    for t in range(20):
        best = sorted(range(5), key=lambda slot: -float(x[t, slot, :, 2].sum()))[:2]
        for m, slot in enumerate(best):
            pose = x[t, slot].copy()
            pose[:, :2] -= 0.5
            pose[pose[:, 2] == 0] = 0
            expected[t, m] = pose
    np.testing.assert_allclose(inputs[0], expected, atol=1e-7)


def test_a_random_window_sets_the_length_of_training_clips_only():
    example = record("2-D with score", frames=20)
    clip = {"frames": 30, "pad": "zero"}
    whole = evaluate("2-D with score", example, **clip)["inputs"][0].numpy()
    starts = set()
    for position in range(30):
        window = train("2-D with score", example, position, {"window": 8}, **clip)["inputs"].numpy()
        fits = [start for start in range(13) if np.array_equal(whole[start : start + 8], window)]
        assert len(fits) == 1
        starts |= set(fits)
    assert len(starts) > 8


def test_several_views_are_spread_evenly_over_the_clip():
    example = record("3-D", frames=20)
    views = evaluate("3-D", example, frames=6, views=3)["inputs"].numpy()
    for view, start in zip(views, (0, 7, 14), strict=True):
        np.testing.assert_array_equal(view, example["joints"][start : start + 6, :2])
    short = evaluate("3-D", example, frames=40, views=3)["inputs"].numpy()
    np.testing.assert_array_equal(short[0], short[2])


def test_resampled_views_begin_at_the_first_frame_and_end_at_the_last():
    example = record("3-D", frames=11)
    example["joints"] = (
        tf.abs(example["joints"]) + 0.1 + tf.range(11, dtype=tf.float32)[:, None, None, None]
    )
    views = evaluate("3-D", example, frames=10, views=3, sampling="resize")["inputs"].numpy()
    np.testing.assert_allclose(views[0, 0], example["joints"][0, :2], rtol=1e-6)
    np.testing.assert_allclose(views[2, -1], example["joints"][-1, :2], rtol=1e-6)
    np.testing.assert_allclose(
        views[1, 0], example["joints"][:2, :2].numpy().mean(axis=0), rtol=1e-5
    )
    np.testing.assert_allclose(views[0, -1], example["joints"][9, :2], rtol=1e-5)


def test_segments_draw_anew_at_each_position_in_training_and_take_the_middle_in_evaluation():
    example = record("3-D", frames=24)
    clip = {"frames": 8, "sampling": "segments"}
    whole = example["joints"].numpy()[:, :2]
    np.testing.assert_array_equal(evaluate("3-D", example, **clip)["inputs"][0], whole[1::3])
    views = evaluate("3-D", example, **clip, views=3)["inputs"].numpy()
    for view in range(3):
        np.testing.assert_array_equal(views[view], whole[view::3])
    first, repeated, other = (
        train("3-D", example, position, **clip)["inputs"].numpy() for position in (0, 0, 1)
    )
    assert first.tobytes() == repeated.tobytes() != other.tobytes()
    for i in range(8):
        assert any(np.array_equal(first[i], frame) for frame in whole[3 * i : 3 * i + 3])


def test_bad_and_empty_records_become_zeros():
    example = record("3-D")
    x = example["joints"].numpy()
    x[4, 0, 2] = np.nan
    example["joints"] = tf.constant(x)
    inputs = evaluate("3-D", example, frames=20)["inputs"].numpy()
    assert not inputs[0, 4, 0, 2].any()
    assert np.isfinite(inputs).all()
    options = {
        "sampling": "resize",
        "center": "frame",
        "align": True,
        "scale": "skeleton",
        "stream": "bone",
    }
    for shape in ((0, 2, 25, 3), (5, 0, 25, 3), (5, 2, 25, 3)):
        empty = {**example, "joints": tf.zeros(shape)}
        assert not np.any(train("3-D", empty, frames=9, sampling="segments")["inputs"])
        assert not np.any(evaluate("3-D", empty, frames=9, **options)["inputs"])
        assert not np.any(
            train("3-D", empty, frames=9, augment=EVERYTHING | {"crop": 0.5}, **options)["inputs"]
        )


def test_missing_joints_stay_zero_through_everything_but_a_joint_at_the_origin_is_present():
    example = record("3-D", people=2)
    x = example["joints"].numpy()
    x[:, 0, 20] = 0.7  # the centre
    example["joints"] = tf.constant(x)
    augment = {"rotate": 0.5, "rescale": 0.2, "jitter": 0.1, "move": True}
    options = {"frames": 20, "center": "frame", "scale": "skeleton"}
    joints = train("3-D", example, augment=augment, **options)["inputs"].numpy()
    np.testing.assert_array_equal(joints.any(axis=-1), x.any(axis=-1))
    assert not evaluate("3-D", example, **options)["inputs"][0, :, 0, 20].numpy().any()


def test_the_input_shape_is_known_before_the_first_batch():
    layout, channels = KINDS["2-D with score"]
    for window in (0, 8):
        clip = dataclasses.asdict(ClipConfig(frames=30, persons=3))
        expected = train(
            "2-D with score",
            record("2-D with score"),
            augment={"window": window},
            frames=30,
            persons=3,
        )
        shape = skeleton.input_shape(
            clip=clip, layout=get_layout(layout), channels=channels, window=window
        )
        assert shape == expected["inputs"].shape


@pytest.mark.parametrize(
    ("kind", "clip", "augment", "message"),
    [
        (
            "3-D",
            {"sampling": "loop"},
            {},
            "unknown clip.sampling 'loop'; "
            "available: crop_resize, resize, segments, uniform, window",
        ),
        (
            "3-D",
            {"pad": "replayed"},
            {},
            "unknown clip.pad 'replayed'; available: replay, zero; did you mean 'replay'",
        ),
        ("3-D", {"stream": "bones"}, {}, "unknown stream 'bones'"),
        ("3-D", {"center": "hip"}, {}, "unknown clip.center 'hip'; available: first, frame, none"),
        ("3-D", {"scale": "one"}, {}, "unknown clip.scale 'one'"),
        ("3-D", {"frames": 0}, {}, "clip.frames is 0, but must be at least 1"),
        ("3-D", {"views": 0}, {}, "clip.views is 0"),
        (
            "3-D",
            {"person": "frame_score"},
            {},
            "person='frame_score' ranks people by a score channel",
        ),
        ("2-D", {"align": True}, {}, "align rotates 3-D joints"),
        (
            "3-D",
            {},
            {"crop": 0.5},
            "augment.crop=0.5 needs clip.sampling='resize' or 'crop_resize', got 'window'; use",
        ),
        (
            "3-D",
            {"sampling": "uniform"},
            {"crop": 0.5},
            "augment.crop=0.5 needs clip.sampling='resize' or 'crop_resi",
        ),
        (
            "3-D",
            {"sampling": "uniform"},
            {"window": 9},
            "augment.window=9 cuts windows, but clip.sampling is 'unifor",
        ),
        (
            "3-D",
            {},
            {"crop_frames": 9},
            "augment.crop_frames=9 needs clip.sampling='crop_resize', got 'window'",
        ),
        (
            "3-D",
            {},
            {"window_from": "x"},
            "unknown augment.window_from 'x'; available: clip, padded",
        ),
        (
            "3-D",
            {},
            {"move_missing": True},
            "augment.move_missing changes random moving, but augment.move is off",
        ),
        (
            "3-D",
            {"share": 0.5},
            {},
            "clip.share=0.5 needs clip.sampling='crop_resize', got 'window'",
        ),
        ("3-D", {"share": 1.5}, {}, "clip.share is 1.5, but must be above 0 and at most 1"),
        (
            "3-D",
            {"empty": "cut"},
            {},
            "unknown clip.empty 'cut'; available: drop, drop_main, keep, loop",
        ),
        ("3-D", {"motion": "no"}, {}, "unknown clip.motion 'no'; available: recorded, sampled"),
        (
            "3-D",
            {"min_score": 0.1},
            {},
            "clip.min_score=0.1 is for detected poses (x, y, score) in shares of the picture",
        ),
        ("2-D", {"scale": "frame"}, {}, "clip.scale='frame' is for detected poses (x, y, score)"),
        (
            "2-D",
            {"person": "denoised"},
            {},
            "person='denoised' is a rule for 3-D bodies, but these records hold",
        ),
        (
            *("2-D with score", {"center": "first", "origin": "spine"}, {}),
            "clip.origin='spine' needs a layout with a spine, but 'openpose-18' has none; "
            "use clip.origin='centre'",
        ),
        (
            "3-D",
            {"sampling": "resize"},
            {"crop": 0.0},
            "augment.crop is 0.0, but must be above 0 and at most 1",
        ),
        (
            "3-D",
            {"sampling": "resize"},
            {"window": 9},
            "augment.window=9 cuts windows, but clip.sampling is 'resize'",
        ),
        (
            "3-D",
            {"sampling": "segments"},
            {"window": 9},
            "'segments', which draws frames at random already; leave it 0",
        ),
        (
            "3-D",
            {"sampling": "segments"},
            {"crop": 0.5},
            "got 'segments', which draws frames at random already",
        ),
        ("3-D", {}, {"rotate": -0.1}, "augment.rotate is -0.1, but must lie between 0 and inf"),
        (
            "3-D",
            {},
            {"drop_joints": 1.5},
            "augment.drop_joints is 1.5, but must lie between 0 and 1",
        ),
        (
            "3-D",
            {"persons": 1},
            {"swap": True},
            "augment.swap exchanges two persons, but clip.persons is 1",
        ),
    ],
)
def test_options_without_a_meaning_are_refused(kind, clip, augment, message):
    layout, channels = KINDS[kind]
    sections = {
        "clip": dataclasses.asdict(ClipConfig()) | clip,
        "augment": dataclasses.asdict(AugmentConfig()) | augment,
    }
    with pytest.raises(UserError) as caught:
        skeleton.check(**sections, layout=get_layout(layout), channels=channels)
    assert message in str(caught.value)


def test_a_layout_without_sides_cannot_be_mirrored():
    layout = dataclasses.replace(get_layout("ntu-25"), pairs=())
    sections = {
        "clip": dataclasses.asdict(ClipConfig()),
        "augment": dataclasses.asdict(AugmentConfig(mirror=True)),
    }
    with pytest.raises(
        UserError, match=r"augment\.mirror needs left/right pairs, but layout 'ntu-25' has none"
    ):
        skeleton.check(**sections, layout=layout, channels=("x", "y", "z"))


@pytest.mark.parametrize("kind", KINDS)
def test_streams_side_by_side_have_the_announced_shape_and_the_bytes_of_each(kind):
    layout, channels = KINDS[kind]
    clip, names = {"frames": 12, "sampling": "resize"}, ("joint", "bone", "joint_motion")
    together = evaluate(kind, record(kind), stream="+".join(names), **clip)["inputs"].numpy()
    apart = [evaluate(kind, record(kind), stream=name, **clip)["inputs"].numpy() for name in names]
    np.testing.assert_array_equal(together, np.concatenate(apart, axis=-1))
    options = dataclasses.asdict(ClipConfig(stream="+".join(names), **clip))
    announced = skeleton.input_shape(clip=options, layout=get_layout(layout), channels=channels)
    assert (
        together.shape[1:]
        == announced
        == train(kind, record(kind), stream="+".join(names), **clip)["inputs"].shape
    )
