"""PCK by hand; OKS and its average precision by COCO's own tool, whose figures are frozen here."""

import numpy as np
import pytest

from jaxact.errors import UserError
from jaxact.metrics import pose as pose_metrics
from jaxact.skeletons.pose_body import BODY

SEVENTEEN = pose_metrics.SIGMAS["coco-17"]


def test_pck_counts_joints_by_hand():
    true = np.zeros((3, 4, 3), np.float32)
    true[0] = [[10, 10, 2], [10, 60, 2], [40, 10, 1], [0, 0, 0]]  # a box of 30 x 50
    true[1] = [[0, 0, 2], [100, 0, 2], [0, 0, 0], [50, 20, 2]]  # 100 x 20
    predicted = true.copy()
    predicted[..., 2] = 1.0
    predicted[0, 0, :2] += (6, 8)  # exactly 0.2 of 50
    predicted[0, 1, :2] += (6, 8.1)
    predicted[0, 3] = (10, 10, 1.0)  # nobody knows where it is
    predicted[1, 1, 0] += 20
    predicted[1, 3, 2] = 0  # not found
    sizes = pose_metrics.box_sizes(true)
    np.testing.assert_allclose(sizes, [50, 100, 0])
    total = pose_metrics.hits(predicted, true, sizes)
    assert total.annotated.tolist() == [2, 2, 1, 1] and total.correct.tolist() == [2, 1, 1, 0]
    figures = pose_metrics.pck(total)
    assert figures["pck"] == pytest.approx(4 / 6) and figures["mean_joint"] == pytest.approx(
        (1 + 0.5 + 1 + 0) / 4
    )
    narrow = pose_metrics.hits(predicted, true, sizes, share=0.1)
    assert narrow.correct.tolist() == [1, 0, 1, 0]


def test_pck_of_parts_adds_up_and_a_mask_is_a_subset():
    random = np.random.default_rng(0)
    true = np.concatenate(
        [random.uniform(0, 100, (8, 14, 2)), random.integers(0, 3, (8, 14, 1))], -1
    )
    predicted = true + random.normal(0, 12, true.shape)
    sizes = pose_metrics.box_sizes(true)
    whole = pose_metrics.hits(predicted, true, sizes)
    first, second = (
        pose_metrics.hits(predicted[part], true[part], sizes[part])
        for part in (slice(5), slice(5, 8))
    )
    np.testing.assert_array_equal((first + second).correct, whole.correct)
    np.testing.assert_array_equal((first + second).annotated, whole.annotated)
    masked = pose_metrics.hits(predicted, true, sizes, mask=np.arange(8) < 5)
    np.testing.assert_array_equal(masked.correct, first.correct)
    np.testing.assert_array_equal(masked.annotated, first.annotated)
    nobody = pose_metrics.hits(predicted[:0], true[:0], sizes[:0])
    assert np.isnan(pose_metrics.pck(nobody)["pck"])


def test_a_torso_is_the_distance_of_two_joints_that_are_both_there():
    true = np.zeros((2, 4, 3))
    true[0, 1], true[0, 3] = (10, 10, 1), (13, 14, 2)
    true[1, 1] = (5, 5, 2)
    np.testing.assert_allclose(pose_metrics.torso_sizes(true, (1, 3)), [5, 0])


def picture(detected, scores, true, areas, boxes=None, crowd=None):
    count = len(true)
    return pose_metrics.ImagePeople(
        predicted=np.asarray(detected, float),
        scores=np.asarray(scores, float),
        true=np.asarray(true, float),
        areas=np.asarray(areas, float),
        boxes=np.zeros((count, 4)) if boxes is None else np.asarray(boxes, float),
        crowd=np.zeros(count, bool) if crowd is None else np.asarray(crowd, bool),
    )


def test_oks_is_its_equation_by_loops():
    random = np.random.default_rng(1)
    detected, true = random.uniform(0, 40, (3, 17, 3)), random.uniform(0, 40, (2, 17, 3))
    true[..., 2] = random.integers(0, 3, (2, 17))
    true[1, :, 2] = 0
    boxes = np.array([[0, 0, 9, 9], [10, 10, 5, 8]])
    similar = pose_metrics.oks(
        picture(detected, np.ones(3), true, [900.0, 300.0], boxes), SEVENTEEN
    )
    for m in range(3):
        values = [
            np.exp(
                -(
                    (detected[m, v, 0] - true[0, v, 0]) ** 2
                    + (detected[m, v, 1] - true[0, v, 1]) ** 2
                )
                / (8 * 900 * s**2)
            )
            for v, s in enumerate(SEVENTEEN)
            if true[0, v, 2] > 0
        ]
        assert similar[m, 0] == pytest.approx(np.mean(values))
        values = []
        for (x, y, _), s in zip(
            detected[m], SEVENTEEN, strict=True
        ):  # without a seen joint: the tripled box
            dx, dy = max(5 - x, 0, x - 20), max(2 - y, 0, y - 26)
            values.append(np.exp(-(dx**2 + dy**2) / (8 * 300 * s**2)))
        assert similar[m, 1] == pytest.approx(np.mean(values))


def scene(seed: int):
    """Twelve pictures of people of all sizes, crowds and people without joints, some of them found,
    some twice.
    """
    random = np.random.default_rng(seed)
    pictures = []
    for _ in range(12):
        count = random.integers(0, 5)
        sizes = np.exp(random.uniform(np.log(20), np.log(200), count))
        positions = random.uniform(0, 400, (count, 1, 2)) + sizes[:, None, None] * random.uniform(
            0, 1, (count, 17, 2)
        )
        true = np.concatenate([positions, random.integers(0, 3, (count, 17, 1))], -1).round(1)
        true[random.uniform(size=count) < 0.15] = 0
        boxes = np.concatenate(
            [positions.min(1, initial=1e9), np.repeat(sizes[:, None], 2, 1)], 1
        ).round(1)
        again = random.integers(0, 3, count)
        detected = np.repeat(true, again, 0)
        blur = np.repeat(sizes, again)[:, None, None] * random.uniform(
            0.005, 0.12, (len(detected), 1, 1)
        )
        detected[..., :2] = (
            detected[..., :2] + random.normal(size=detected[..., :2].shape) * blur
        ).round(1)
        lost = random.uniform(
            0, 400, (random.integers(0, 25) if random.uniform() < 0.3 else 0, 17, 3)
        ).round(1)
        detected = np.concatenate([detected, lost])
        scores = random.uniform(size=len(detected)).round(1)
        crowd = random.uniform(size=count) < 0.1
        pictures.append(picture(detected, scores, true, (0.5 * sizes**2).round(1), boxes, crowd))
    return pictures


# COCOeval.stats of pycocotools 2.0.11 on the same people.
FROZEN = {
    1: (
        *(0.141081916, 0.294976164, 0.122810358, 0.237293729, 0.076732673),
        *(0.347368421, 0.578947368, 0.315789474, 0.36, 0.25),
    ),
    2: (
        *(0.064234037, 0.122350722, 0.061111573, 0.33310231, 0.0),
        *(0.326666667, 0.466666667, 0.333333333, 0.56, 0.0),
    ),
    5: (
        *(0.143528642, 0.314851485, 0.128954359, 0.212054455, 0.141796322),
        *(0.425, 0.6875, 0.4375, 0.55, 0.4),
    ),
}


@pytest.mark.parametrize("seed", FROZEN)
def test_average_precision_is_that_of_cocos_own_tool(seed):
    figures = pose_metrics.average_precision(scene(seed), sigmas=SEVENTEEN)
    assert list(figures) == [
        f"{kind}{of}" for kind in ("AP", "AR") for of in ("", "50", "75", "_medium", "_large")
    ]
    np.testing.assert_allclose(list(figures.values()), FROZEN[seed], atol=1e-8)


def test_perfect_people_have_precision_one_and_a_set_without_anybody_none():
    true = np.concatenate(
        [np.random.default_rng(0).uniform(0, 200, (3, 14, 2)), np.full((3, 14, 1), 2.0)], -1
    )
    sigmas = pose_metrics.SIGMAS["body-14"]
    perfect = picture(true, [0.9, 0.8, 0.7], true, [9e3, 2e4, 4e3])
    figures = pose_metrics.average_precision([perfect], sigmas=sigmas)
    assert {round(value, 9) for value in figures.values()} == {1.0}
    missed = picture(true[:0], [], true, [9e3, 2e4, 4e3])
    assert set(pose_metrics.average_precision([missed], sigmas=sigmas).values()) == {0.0}
    nobody = picture(true, [0.9, 0.8, 0.7], true[:0], [])
    assert np.isnan(list(pose_metrics.average_precision([nobody], sigmas=sigmas).values())).all()


def test_sigmas_are_cocos_by_the_names_of_the_joints():
    by_joint = dict(zip(BODY.joints, pose_metrics.SIGMAS["body-14"], strict=True))
    coco = (
        "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow "
        "right_elbow left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle "
        "right_ankle"
    )
    expected = dict(zip(coco.split(), SEVENTEEN, strict=True)) | {"neck": 0.079}
    assert by_joint == {joint: expected[joint] for joint in BODY.joints}


def test_another_number_of_joints_than_sigmas_says_so():
    true = np.zeros((1, 14, 3))
    with pytest.raises(UserError, match=r"14 joints, but 17 sigmas; SIGMAS has coco-17, body-14"):
        pose_metrics.average_precision([picture(true, [1.0], true, [1.0])], sigmas=SEVENTEEN)
