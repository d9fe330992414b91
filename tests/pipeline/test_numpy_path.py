"""An evaluation example made of NumPy arrays is the one made of tensors, whatever the options."""

import dataclasses
import io

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from jaxact.config import ClipConfig
from jaxact.pipeline import skeleton, video
from jaxact.skeletons import get_layout

KINDS = {
    "3-D": ("ntu-25", ("x", "y", "z")),
    "2-D": ("jhmdb-15", ("x", "y")),
    "2-D with score": ("openpose-18", ("x", "y", "score")),
}
CLIPS = (
    "several people",
    "one frame",
    "no frame",
    "no slot",
    "nobody",
    "not a number",
    "gaps",
    "bodies change slots",
)


def record(kind, clip):
    """A record of a kind: joints that are now and then missing, and what the clip's name says."""
    layout, channels = KINDS[kind]
    frames, people = {"one frame": (1, 1), "no frame": (0, 2), "no slot": (5, 0)}.get(clip, (24, 3))
    rng = np.random.default_rng(1)
    joints = rng.uniform(0.1, 1.0, (frames, people, len(get_layout(layout).joints), len(channels)))
    joints[rng.uniform(size=joints.shape[:3]) < 0.1] = 0
    ids = np.tile(np.arange(7, 7 + people), (frames, 1))
    if clip == "nobody":
        joints[:] = 0
    elif clip == "not a number":
        joints[3, 1, 2, 0], joints[0, 0, 1] = np.nan, np.inf
    elif clip == "gaps":
        joints[5:9], joints[:4, 0], joints[15:, 1] = 0, 0, 0
    elif clip == "bodies change slots":
        joints[6:, :2] = joints[6:, 1::-1]
        ids[6:, :2] = ids[6:, 1::-1]
        joints[12:, 2] = 0
    tracked = {"person_id": ids} if frames else {}
    return {"id": clip, "joints": joints.astype(np.float32), "label": 3, **tracked}


def check_equal(kind, clip, **options):
    layout, channels = KINDS[kind]
    about = {"layout": get_layout(layout), "channels": channels}
    section = dataclasses.asdict(ClipConfig(**{"frames": 12, **options}))
    skeleton.check(clip=section, augment=None, **about)
    arrays = record(kind, clip)
    tensors = {name: tf.constant(value) for name, value in arrays.items()}
    numpy_example = skeleton.evaluate(arrays, **about, **section)
    tensor_example = skeleton.evaluate(tensors, **about, **section)
    assert type(numpy_example["inputs"]) is np.ndarray and tf.is_tensor(tensor_example["inputs"])
    assert (
        numpy_example["inputs"].dtype == np.float32 and numpy_example["targets"].dtype == np.int32
    )
    assert int(numpy_example["targets"]) == int(tensor_example["targets"]) == 3
    assert numpy_example["id"] == tensor_example["id"].numpy().decode()
    np.testing.assert_allclose(
        numpy_example["inputs"], tensor_example["inputs"].numpy(), rtol=1e-6, atol=1e-6
    )
    # The same frames, people and joints, and missing ones zero.
    np.testing.assert_array_equal(
        numpy_example["inputs"] != 0, tensor_example["inputs"].numpy() != 0
    )


FOR_ALL = [
    *(
        {"sampling": "window", "pad": pad, "frames": frames}
        for pad in ("zero", "replay")
        for frames in (7, 40)
    ),
    *({"sampling": sampling} for sampling in ("resize", "crop_resize", "segments")),
    *({"sampling": "uniform", "frames": frames} for frames in (5, 16, 40)),
    {"sampling": "crop_resize", "share": 0.6},
    *(
        {"sampling": sampling, "views": 3}
        for sampling in ("window", "resize", "crop_resize", "segments", "uniform")
    ),
    *({"empty": empty, "frames": 40} for empty in ("drop", "drop_main", "loop")),
    *(
        {"person": person, "persons": persons}
        for person, persons in (("file", 1), ("file", 4), ("energy", 2))
    ),
    *(
        {"stream": stream}
        for stream in ("bone", "joint_motion", "bone_motion", "joint_second_diff", "partner")
    ),
    {"stream": "joint+bone+joint_motion", "sampling": "resize", "motion": "recorded"},
    {"stream": "joint_second_diff+bone_motion+joint", "frames": 40},
    {"center": "frame", "scale": "skeleton"},
    {"center": "first", "flip_y": True},
]
FOR_KINDS = {
    "3-D": [
        {"person": "denoised"},
        {
            "person": "denoised",
            "empty": "drop",
            "sampling": "crop_resize",
            "center": "first",
            "origin": "spine",
        },
        {"align": True, "center": "frame", "scale": "skeleton", "stream": "joint+bone"},
    ],
    "2-D with score": [
        {"person": "frame_score", "persons": 3},
        {"person": "clip_mean", "min_score": 0.3},
        {"scale": "frame", "center": "frame", "flip_y": True},
    ],
}
CASES = [
    *(
        (kind, options)
        for kind in KINDS
        for options in (FOR_ALL if kind == "3-D" else FOR_ALL[::4])
    ),
    *((kind, options) for kind, rows in FOR_KINDS.items() for options in rows),
]


@pytest.mark.parametrize(
    ("kind", "options"),
    CASES,
    ids=[f"{k} {' '.join(f'{n}={v}' for n, v in o.items())}" for k, o in CASES],
)
def test_every_choice_is_made_alike(kind, options):
    check_equal(kind, "gaps", **options)
    if options.get("person") == "denoised":
        check_equal(kind, "bodies change slots", **options)


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize(
    ("sampling", "empty", "person"),
    [
        ("window", "keep", "denoised"),
        ("resize", "drop", "energy"),
        ("crop_resize", "loop", "denoised"),
        ("segments", "drop_main", "file"),
        ("uniform", "keep", "energy"),
    ],
)
def test_clips_at_the_edge_are_examples_alike(clip, sampling, empty, person):
    changes = {"center": "frame", "align": True, "scale": "skeleton", "stream": "joint+bone_motion"}
    check_equal("3-D", clip, sampling=sampling, empty=empty, person=person, **changes)


@st.composite
def choices(draw):
    """A kind of record, a clip, and options that have a meaning for it."""
    kind = draw(st.sampled_from(list(KINDS)))
    person, scale = ["file", "energy"], ["none", "skeleton"]
    options = {}
    if kind == "3-D":
        person += ["denoised"]
        options = {
            "align": draw(st.booleans()),
            "origin": draw(st.sampled_from(["centre", "spine"])),
        }
    elif kind == "2-D with score":
        person, scale = [*person, "frame_score", "clip_mean"], [*scale, "frame"]
        options = {"min_score": draw(st.sampled_from([0.0, 0.4]))}
    several = {
        "person": person,
        "scale": scale,
        "sampling": ["window", "resize", "crop_resize", "segments", "uniform"],
        "pad": ["zero", "replay"],
        "empty": ["keep", "drop", "drop_main", "loop"],
        "motion": ["sampled", "recorded"],
        "center": ["none", "frame", "first"],
        "stream": [
            "joint",
            "bone",
            "joint_motion",
            "bone_motion",
            "joint_second_diff",
            "partner",
            "bone+joint",
        ],
        "flip_y": [False, True],
    }
    options |= {name: draw(st.sampled_from(values)) for name, values in several.items()}
    options |= {
        name: draw(st.integers(1, maximum))
        for name, maximum in (("frames", 60), ("persons", 4), ("views", 3))
    }
    return kind, draw(st.sampled_from(CLIPS)), options


@pytest.mark.slow
@settings(max_examples=25, deadline=None, derandomize=True)
@given(choices())
def test_any_choices_together_are_made_alike(choice):
    kind, clip, options = choice
    check_equal(kind, clip, **options)


def test_huge_coordinates_warn_of_nothing():
    layout, channels = KINDS["3-D"]
    arrays = record("3-D", "several people")
    arrays["joints"] *= np.float32(1e30)
    section = dataclasses.asdict(
        ClipConfig(frames=6, person="energy", scale="skeleton", align=True)
    )
    inputs = skeleton.evaluate(arrays, layout=get_layout(layout), channels=channels, **section)[
        "inputs"
    ]
    assert inputs.shape == (1, 6, 2, 25, 3)


def test_the_record_is_left_as_it_was():
    arrays = record("2-D with score", "gaps")
    original = {name: np.copy(value) for name, value in arrays.items()}
    layout, channels = KINDS["2-D with score"]
    everything = {
        "stream": "joint_second_diff",
        "min_score": 0.4,
        "center": "frame",
        "scale": "frame",
        "flip_y": True,
    }
    section = dataclasses.asdict(
        ClipConfig(frames=12, motion="recorded", empty="loop", **everything)
    )
    skeleton.evaluate(arrays, layout=get_layout(layout), channels=channels, **section)
    for name, value in original.items():
        np.testing.assert_array_equal(arrays[name], value)


VIDEO = {
    "frames": 5,
    "height": 12,
    "width": 18,
    "sampling": "uniform",
    "fit": "stretch",
    "stream": "rgb",
}


def film(count, height, width):
    """A record of JPEG files; flow is a grey picture of twice the width."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (count, height, width, 3), np.uint8)
    frames, flow = (
        [jpeg(p) for p in pictures],
        [jpeg(np.hstack([p[..., 0], p[..., 1]])) for p in pictures],
    )
    files = {"frames": np.array(frames, object), "flow": np.array(flow, object)}
    times = np.cumsum(rng.uniform(0.01, 0.1, count)).astype(np.float32)
    return {**files, "times": times, "height": height, "width": width, "label": 3, "id": "film"}


def jpeg(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=90)
    return stream.getvalue()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sampling": "uniform_time", "fit": "crop"},
        {"sampling": "segments", "views": 3},
        {"stream": "difference", "motion": "recorded", "fit": "crop"},
        {"stream": "difference", "motion": "sampled"},
        {"stream": "flow"},
        {"frames": 11, "height": 31, "width": 20},
    ],
    ids=str,
)
def test_videos_are_examples_alike(options):
    section = {"motion": "recorded", "views": 1, **VIDEO, **options}
    video.check(clip=section, augment=None)
    for size in ((7, 24, 40), (1, 31, 23), (3, 33, 65)):
        arrays = film(*size)
        tensors = {
            name: tf.constant(list(v) if name in ("frames", "flow") else v)
            for name, v in arrays.items()
        }
        numpy_example, tensor_example = (
            video.evaluate(arrays, **section),
            video.evaluate(tensors, **section),
        )
        assert (
            type(numpy_example["inputs"]) is np.ndarray
            and numpy_example["inputs"].dtype == np.float32
        )
        assert (
            int(numpy_example["targets"]) == int(tensor_example["targets"]) == 3
            and numpy_example["id"] == "film"
        )
        np.testing.assert_allclose(
            numpy_example["inputs"], tensor_example["inputs"].numpy(), rtol=0, atol=1e-6
        )


def test_a_video_of_the_networks_own_size_is_an_example_too():
    inputs = video.evaluate(film(4, 12, 18), motion="recorded", views=1, **VIDEO)["inputs"]
    assert inputs.shape == (1, 5, 12, 18, 3) and np.abs(inputs).max() <= 1
