"""Conversion between layouts: left stays left, missing stays missing, means equal a slow loop."""

import itertools
import re

import numpy as np
import pytest

from jaxact.errors import UserError
from jaxact.skeletons import LAYOUTS, convert
from jaxact.skeletons.conversion import STEPS, conversion_path

WAYS = [
    (source, target)
    for source, target in itertools.permutations(LAYOUTS, 2)
    if any(start == source for start, _ in STEPS) and target in {end for _, end in STEPS}
]


def reachable() -> list[tuple[str, str]]:
    pairs = []
    for source, target in WAYS:
        try:
            conversion_path(source, target)
        except UserError:
            continue
        pairs.append((source, target))
    return pairs


def body(layout: str, seed: int = 0) -> np.ndarray:
    """Frames of an asymmetric body: left at x > 0, right at x < 0, no two joints alike."""
    rng = np.random.default_rng(seed)
    joints = rng.uniform(0.1, 1, size=(3, 2, len(LAYOUTS[layout].joints), 3)).astype(np.float32)
    for index, name in enumerate(LAYOUTS[layout].joints):
        joints[..., index, 0] *= {"left": 1, "right": -1}.get(name.split("_")[0], 0.01)
    return joints


def oracle(joints: np.ndarray, source: str, target: str, score: bool) -> np.ndarray:
    """One table entry, one joint at a time."""
    result = np.zeros((*joints.shape[:2], len(LAYOUTS[target].joints), joints.shape[3]))
    for t, m in np.ndindex(joints.shape[:2]):
        for index, name in enumerate(LAYOUTS[target].joints):
            parts = [
                joints[t, m, LAYOUTS[source].joints.index(p)]
                for p in STEPS[source, target].get(name, (name,))
            ]
            if len(parts) == 1:
                result[t, m, index] = parts[0]
            elif parts and all(
                np.any(part[: 3 - score] != 0) and (not score or part[2] > 0) for part in parts
            ):
                result[t, m, index] = sum(part.astype(float) for part in parts) / len(parts)
                if score:
                    result[t, m, index, 2] = min(part[2] for part in parts)
    return result


@pytest.mark.parametrize(("source", "target"), STEPS)
def test_every_joint_of_the_target_is_named_in_the_source_or_in_the_table(source, target):
    made, names = STEPS[source, target], LAYOUTS[source].joints
    for joint in LAYOUTS[target].joints:
        assert set(made.get(joint, (joint,))) <= set(names)
    assert set(made) <= set(LAYOUTS[target].joints)


@pytest.mark.parametrize(("source", "target"), STEPS)
@pytest.mark.parametrize("score", [False, True])
def test_a_step_is_the_slow_loop_over_the_table(source, target, score):
    joints = body(source)
    if score:
        joints[..., 2] = np.random.default_rng(1).uniform(0, 1, joints.shape[:3])
        joints[0, :, ::3, 2] = 0
    joints[1, 0, ::2] = 0
    channels = ("x", "y", "score" if score else "z")
    got = convert(joints, source, target, channels=channels)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, oracle(joints, source, target, score), rtol=1e-6)


@pytest.mark.parametrize(("source", "target"), reachable())
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_wrist_that_is_raised_is_raised_on_its_own_side_alone(source, target, side):
    before = body(source)
    after = before.copy()
    after[..., LAYOUTS[source].joints.index(f"{side}_wrist"), 1] += 5
    moved = convert(after, source, target) - convert(before, source, target)
    names = [
        name for index, name in enumerate(LAYOUTS[target].joints) if np.any(moved[:, :, index])
    ]
    assert names == [f"{side}_wrist"]


@pytest.mark.parametrize(("source", "target"), reachable())
def test_left_joints_stand_on_the_left_and_right_joints_on_the_right(source, target):
    got = convert(body(source), source, target)
    for left, right in LAYOUTS[target].pairs:
        assert (got[:, :, left, 0] >= 0).all() and (got[:, :, right, 0] <= 0).all()
        assert got[:, :, left].any() == got[:, :, right].any()


@pytest.mark.parametrize(("source", "target"), reachable())
def test_a_mirrored_source_is_the_mirrored_target(source, target):
    def mirrored(joints: np.ndarray, layout: str) -> np.ndarray:
        return joints[:, :, list(LAYOUTS[layout].mirrored())] * (-1, 1, 1)

    joints = body(source).astype(np.float64)
    first, then = (
        convert(mirrored(joints, source), source, target),
        mirrored(convert(joints, source, target), target),
    )
    np.testing.assert_allclose(first, then, atol=1e-12)


@pytest.mark.parametrize("missing", ["left_shoulder", "right_shoulder"])
def test_the_neck_is_missing_where_a_shoulder_is(missing):
    joints = body("coco-17")
    joints[1, 0, LAYOUTS["coco-17"].joints.index(missing)] = 0
    neck = convert(joints, "coco-17", "openpose-18")[:, :, 1]
    assert not neck[1, 0].any() and neck[0].all() and neck[1, 1].all()


def test_the_necks_score_is_the_smaller_of_the_shoulders_and_zero_is_missing():
    joints = body("coco-17")
    joints[..., 2] = 0.5
    joints[0, 0, 5:7, 2] = (0.9, 0.2)
    joints[0, 1, 5:7, 2] = (0.9, 0.0)
    neck = convert(joints, "coco-17", "openpose-18", channels=("x", "y", "score"))[0, :, 1]
    assert neck[0, 2] == np.float32(0.2) and not neck[1].any()
    np.testing.assert_allclose(neck[0, :2], joints[0, 0, 5:7, :2].mean(0), rtol=1e-6)


def test_the_published_order_of_openpose_comes_out_of_coco():
    order = [0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]
    joints = body("coco-17")
    got = convert(joints, "coco-17", "openpose-18")
    for index, origin in enumerate(order):
        if origin is not None:
            np.testing.assert_array_equal(got[:, :, index], joints[:, :, origin])


def test_what_goes_to_another_order_and_back_has_not_changed():
    joints = body("kinect-20")
    for other in ("kinect-20-hip", "kinect-20-msr"):
        np.testing.assert_array_equal(
            convert(convert(joints, "kinect-20", other), other, "kinect-20"), joints
        )
    joints = body("openpose-18")
    back = convert(convert(joints, "openpose-18", "body-14"), "body-14", "openpose-18")
    np.testing.assert_array_equal(back[:, :, :14], joints[:, :, :14])
    assert not back[:, :, 14:].any(), "body-14 has no eyes and ears"


def test_a_layout_becomes_itself_unchanged():
    joints = body("kinect-15")
    np.testing.assert_array_equal(convert(joints, "kinect-15", "kinect-15"), joints)


def test_conversions_that_are_not_in_the_table_go_by_the_shortest_way():
    assert conversion_path("mediapipe-33", "body-14") == ["coco-17", "openpose-18", "body-14"]
    assert conversion_path("kinect-20-msr", "kinect-20-hip") == ["kinect-20", "kinect-20-hip"]
    joints = body("mediapipe-33")
    one = convert(joints, "mediapipe-33", "body-14")
    two = convert(convert(joints, "mediapipe-33", "coco-17"), "coco-17", "body-14")
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("shape", "source", "target", "problem"),
    [
        (
            (2, 15, 3),
            "kinect-15",
            "ntu-25",
            "layout 'kinect-15' does not convert to 'ntu-25'; it does to: none",
        ),
        ((2, 33, 3), "mediapipe-33", "ntu-25", "it does to: coco-17, openpose-18, body-14"),
        ((2, 17, 3), "coco17", "body-14", "unknown layout 'coco17'; available: body-14"),
        ((2, 17, 3), "coco-17", "body14", "unknown layout 'body14'"),
        ((2, 18, 3), "coco-17", "body-14", "18 joints of 3 channels, but layout 'coco-17' has 17"),
        (
            (2, 17, 2),
            "coco-17",
            "body-14",
            "17 joints of 2 channels, but layout 'coco-17' has 17 and the channels are x, y, z",
        ),
    ],
)
def test_what_cannot_be_converted_says_what_can(shape, source, target, problem):
    with pytest.raises(UserError, match=re.escape(problem)):
        convert(np.ones(shape, np.float32), source, target)
