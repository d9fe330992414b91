"""Poses as a recogniser reads them: what the pipeline makes of records, other layouts, and what
cannot be done.
"""

import dataclasses

import numpy as np
import pytest

from jaxact import config, skeletons
from jaxact.errors import UserError
from jaxact.streaming.preprocessing import PosePreprocessor

LAYOUT = skeletons.get_layout("openpose-18")
XYS = ("x", "y", "score")


def preprocessor(channels=XYS, layout=LAYOUT, **options):
    return PosePreprocessor(
        layout, channels, dataclasses.asdict(config.ClipConfig(persons=1, frames=12)) | options
    )


def shares(frames=12):
    """One person's joints with gaps: some missing, the centre joint in the first two frames too,
    one frame empty.
    """
    random = np.random.default_rng(0)
    joints = random.uniform(0.1, 0.9, (frames, 18, 3)).astype(np.float32)
    joints[random.uniform(size=(frames, 18)) < 0.2] = 0
    joints[:2, LAYOUT.centre] = 0
    joints[5] = 0
    return joints


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"flip_y": True, "center": "frame", "scale": "frame", "min_score": 0.3},
        {"center": "first", "scale": "skeleton", "stream": "joint+bone"},
        {"stream": "joint_motion+bone_motion", "flip_y": True},
        {"stream": "joint_second_diff", "sampling": "resize", "frames": 20, "views": 3},
        {"empty": "loop", "frames": 20},
        {"empty": "drop", "sampling": "crop_resize", "share": 0.9},
        {"frames": 20, "pad": "replay"},
    ],
    ids=str,
)
@pytest.mark.parametrize("channels", [XYS, ("x", "y")], ids=len)
def test_a_window_is_read_as_the_pipeline_reads_a_record(options, channels):
    import tensorflow as tf

    from jaxact.pipeline import skeleton

    if channels == ("x", "y"):
        options = {
            name: value
            for name, value in options.items()
            if name != "min_score" and value != "frame"
        }
    joints, preprocess = shares()[..., : len(channels)], preprocessor(channels, **options)
    example = {
        "joints": tf.constant(joints[:, None]),
        "label": tf.constant(0),
        "id": tf.constant(b"a"),
    }
    clip = {**preprocess.clip, "views": 1}
    expected = skeleton.evaluate(example, layout=LAYOUT, channels=channels, **clip)["inputs"][
        0, :, 0
    ]
    inputs = preprocess.inputs(joints[:, None])[:, 0]
    np.testing.assert_allclose(inputs, expected.numpy(), atol=1e-5)


def test_a_single_frame_is_read_without_its_clip():
    preprocess = preprocessor(flip_y=True, sampling="resize")
    frame = shares()[3]
    (inputs,) = preprocess.frame_inputs(frame[None])[0]
    present = frame[:, 2:] > 0
    expected = (frame - (0.5, 0.5, 0)) * (1, -1, 1) * present
    np.testing.assert_allclose(inputs, expected, atol=1e-6)


def test_people_come_in_pixels_of_another_layout_and_a_joint_without_a_number_is_missing():
    people = np.random.default_rng(0).uniform(1, 99, (2, 25, 3)).astype(np.float32)
    people[0, 4], people[1, 0, 0] = np.nan, np.inf
    joints = preprocessor().convert(people, "body-25", (100, 200))
    names = [skeletons.get_layout("body-25").joints.index(name) for name in LAYOUT.joints]
    expected = people[:, names] / (200, 100, 1)
    expected[0, 4], expected[1, 0] = 0, 0
    np.testing.assert_allclose(joints, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("channels", "options", "stateful", "message"),
    [
        (XYS, {"align": True}, False, "clip.align rotates a clip of 3-D joints"),
        (("x", "y", "z"), {}, False, "reads 3-D joints"),
        (("x", "y"), {}, False, "does not state their unit"),
        (XYS, {"empty": "loop"}, True, "clip.empty='loop' repeats a whole clip"),
        (
            XYS,
            {"stream": "joint+bone_motion"},
            True,
            "clip.stream='bone_motion' needs the next frame",
        ),
        (XYS, {"center": "first"}, True, "clip.center='first' needs the first frame"),
        (XYS, {"scale": "skeleton"}, True, "clip.scale='skeleton' needs the mean of a clip"),
    ],
)
def test_what_cannot_be_done_frame_by_frame_is_refused(channels, options, stateful, message):
    with pytest.raises(UserError, match=message):
        preprocessor(channels, **options).check(stateful=stateful)


def test_what_needs_a_window_is_no_fault_where_there_is_one():
    preprocessor(center="first", scale="skeleton", stream="joint_motion").check(stateful=False)
    preprocessor(("x", "y"), center="frame", scale="skeleton").check(stateful=False)
    with pytest.raises(UserError, match="'body-14' does not convert to 'ntu-25'"):
        preprocessor(layout=skeletons.get_layout("ntu-25")).check_layout("body-14")
