"""Findings on a whole set: axes, units, sides, classes, subjects; each with a harmless case."""

import dataclasses

import numpy as np
import pytest

from jaxact.check import Finding, check
from jaxact.check import thresholds as limits
from jaxact.check.facts import Facts
from jaxact.check.splits import check_splits, protocols_of
from jaxact.plots import layout_drawing
from jaxact.skeletons import get_layout
from tests.check.corpora import clean, corpus, exchange_sides, flip, spoil

RECORDS = clean()


def pictures(layout: str = "openpose-18", frames: int = 8, clips: int = 10) -> list[dict]:
    """People who stand in a picture, in shares of its height, y down, and sway."""
    pose = layout_drawing.standing_pose(get_layout(layout))
    records = []
    for number in range(clips):
        sway = 0.02 * np.sin(np.arange(frames) + number)[:, None] + 0.05 * number / clips
        x, y = 0.5 + 0.5 * pose[:, 0] + sway, 0.8 - 0.5 * pose[:, 1] + 0 * sway
        joints = np.stack([x, y, np.full_like(x, 0.9)], axis=-1)[:, None].astype(np.float32)
        records.append(
            {
                "id": f"clip{number}",
                "label": 0,
                "cell": ("train", "test")[number % 2],
                "joints": joints,
            }
        )
    return records


def in_pictures(records: list[dict], layout: str = "openpose-18") -> list[tuple[str, str]]:
    report = check(corpus(records, layout=layout, channels=("x", "y", "score"), labels=("stand",)))
    return [(finding.rule, finding.id) for finding in report.findings]


def changed(records: list[dict], change, every: int = 1) -> list[dict]:
    """The records with every so many-th changed."""
    records = [dict(record) for record in records]
    for record in records[::every]:
        spoil(record["id"], change)(records)
    return records


def findings_of(records: list[dict], **options) -> list[tuple[str, str]]:
    return [(finding.rule, finding.id) for finding in check(corpus(records, **options)).findings]


def body_exchanged(joints: np.ndarray) -> np.ndarray:
    """Left and right of the body exchanged, but not of the face: the fault of many a conversion."""
    layout = get_layout("openpose-18")
    order = np.array(layout.mirrored())
    face = [joint for joint, name in enumerate(layout.joints) if name.endswith(("eye", "ear"))]
    order[face] = face
    return joints[:, :, order]


def scaled(factor: float):
    return lambda joints: joints * (factor, factor, 1)


def facts(number: int, **fields: object) -> Facts:
    plain = Facts(
        id=f"clip{number}", label=0, cell="train", subject="", group="", digest=b"",
        reach=1.0, size=1.0, up=np.nan, chirality=np.nan,
    )  # fmt: skip
    return dataclasses.replace(plain, **fields)


def split(
    train: list[dict], test: list[dict], labels=("a",), name="train/test"
) -> list[tuple[str, str]]:
    clips = [facts(i, **fields) for i, fields in enumerate(train)]
    clips += [facts(i + len(train), cell="test", **fields) for i, fields in enumerate(test)]
    return [(f.rule, f.id) for f in check_splits(clips, labels, {name: (("train",), ("test",))})]


def classes(
    train: dict[int, int], test: dict[int, int], labels=("a", "b")
) -> list[tuple[str, str]]:
    return split(
        *(
            [{"label": label} for label, n in half.items() for _ in range(n)]
            for half in (train, test)
        ),
        labels,
    )


def test_pictures_of_people_who_stand_have_nothing_wrong():
    assert in_pictures(pictures()) == [] == in_pictures(pictures("coco-17"), "coco-17")


# rule -> (what has the fault, what is much like it and has none); both give (rule, id)
PLANTED = {
    "y-mixed": (
        lambda: {rule for rule, _ in findings_of(changed(RECORDS, flip, every=4))} & {"y-mixed"},
        lambda: {rule for rule, _ in findings_of(changed(RECORDS, flip, every=6))} & {"y-mixed"},
    ),
    "y-convention": (
        lambda: in_pictures(changed(pictures(), lambda joints: joints * (1, -1, 1))),
        lambda: in_pictures(pictures()),
    ),
    "units": (
        lambda: in_pictures(changed(pictures(), scaled(640))),
        lambda: in_pictures(changed(pictures(), scaled(3))),
    ),
    "sides-exchanged": (
        lambda: in_pictures(changed(pictures(), body_exchanged)),
        lambda: in_pictures(changed(pictures(), lambda joints: joints * (-1, 1, 1) + (1, 0, 0))),
    ),
    "handedness": (
        lambda: findings_of(changed(RECORDS, exchange_sides(slice(None)))),
        lambda: findings_of(changed(RECORDS, lambda joints: joints * (-1, 1, -1))),
    ),
    "group-leak": (
        lambda: split([{"group": "g1"}] * 5, [{"group": "g1"}]),
        lambda: split([{"group": "g1"}] * 5, [{"group": "g2"}]),
    ),
    "untrained-class": (
        lambda: classes({0: 5}, {0: 1, 1: 1}),
        lambda: classes({0: 5, 1: 5}, {0: 1, 1: 1}),
    ),
    "untested-class": (
        lambda: classes({0: 5, 1: 5}, {0: 1}),
        lambda: classes({0: 5, 1: 5}, {0: 1, 1: 1}),
    ),
    "absent-class": (lambda: classes({0: 5}, {0: 1}), lambda: classes({0: 5}, {0: 1}, ("a",))),
    "few-clips": (
        lambda: classes({0: 4, 1: 5}, {0: 1, 1: 1}),
        lambda: classes({0: 5, 1: 5}, {0: 1, 1: 1}),
    ),
    "imbalance": (
        lambda: classes({0: 5, 1: 51}, {0: 1, 1: 1}),
        lambda: classes({0: 5, 1: 50}, {0: 1, 1: 1}),
    ),
}
WHO = {
    "group-leak": "g1",
    "few-clips": "a",
    "imbalance": "a",
    "untrained-class": "b",
    "untested-class": "b",
}


@pytest.mark.parametrize("rule", PLANTED)
def test_a_fault_of_the_set_is_found_and_its_harmless_neighbour_is_not(rule):
    fault, harmless = PLANTED[rule]
    if rule == "y-mixed":
        assert fault() == {rule}
    else:
        assert fault() == [(rule, {"absent-class": "b", **WHO}.get(rule, "*"))]
    assert not harmless()


def test_a_picture_in_which_the_body_alone_is_exchanged_is_mirrored():
    records = pictures(clips=20)
    spoil("clip7", body_exchanged)(records)
    assert in_pictures(records) == [("mirrored", "clip7")]
    records = pictures(clips=20)
    spoil("clip7", lambda joints: joints[:, :, get_layout("openpose-18").mirrored()])(records)
    assert in_pictures(records) == []  # seen from behind: face and body agree


def test_in_a_set_of_left_handed_axes_the_right_handed_clip_is_the_odd_one():
    records = changed(RECORDS, exchange_sides(slice(None)))
    spoil("jump_s02_r1", exchange_sides(slice(None)))(records)
    assert findings_of(records) == [("mirrored", "jump_s02_r1"), ("handedness", "*")]


def test_a_clip_in_pixels_among_shares_is_told_from_one_that_is_close():
    records = pictures()
    spoil("clip3", scaled(320))(records)
    spoil("clip4", scaled(2))(records)
    assert in_pictures(records) == [("scale-mixed", "clip3")]


def test_millimetres_are_not_metres():
    assert findings_of(changed(RECORDS, lambda joints: 1000 * joints)) == [("units", "*")]


def test_a_split_by_camera_shares_its_subjects_and_one_by_subject_must_not():
    everybody = [{"subject": str(number)} for number in range(8)]
    assert split(everybody, everybody) == []
    assert split(everybody, everybody, name="xsub") == [
        ("subject-leak", str(number)) for number in range(8)
    ]
    assert split(everybody[:6], everybody[4:]) == [("subject-leak", "4"), ("subject-leak", "5")]
    assert split(everybody[:6], everybody[6:]) == []


@pytest.mark.parametrize(
    ("record", "subject", "group"),
    [
        ({"id": "S001C002P003R002A013"}, "P003", ""),
        ({"id": "v_HandstandWalking_g08_c01"}, "", "HandstandWalking_g08"),
        ({"id": "a1_s3_t2"}, "3", ""),
        ({"id": "wave/subject12/4"}, "12", ""),
        ({"id": "s01s02/03/001"}, "", ""),
        ({"id": "glass5_2"}, "", ""),
        ({"id": "a1_s3_t2", "subject": np.int32(7), "group": "x"}, "7", "x"),
    ],
)
def test_subject_and_group_are_read_from_fields_or_names(record, subject, group):
    from jaxact.check.body import Anatomy

    anatomy = Anatomy.of(get_layout("ntu-25"), ("x", "y", "z"))
    clip_facts = Facts.of({"label": 0, **record}, None, anatomy)
    assert (clip_facts.subject, clip_facts.group) == (subject, group)


def test_protocols_are_the_splits_that_differ_in_train_and_test():
    unions = {
        "train": "ab", "test": "c", "xsub_train": "a", "xsub_test": "b", "xsub_train_all": "ad",
        "xsub_test_all": "b", "train1": "a", "test1": "c", "half_train": "a", "half_val": "b",
        "odd_train": "a", "all": "abcd",
    }  # fmt: skip
    assert protocols_of(unions) == {
        "train/test": (("a", "b"), ("c",)),
        "xsub": (("a",), ("b",)),
        "1": (("a",), ("c",)),
        "half": (("a",), ("b",)),
    }


def test_checks_that_cannot_be_made_are_listed():
    report = check(corpus(clean()[:1], protocols={}))
    assert report.skipped == (
        "leakage between training and test, balance of classes (no pair of such splits)",
    )
    lying = changed(RECORDS[:1], lambda joints: joints[..., [1, 0, 2]])
    assert (
        "direction of y (head and feet are nowhere apart in y)"
        in check(corpus(lying, protocols={})).skipped
    )
    poses = [dict(record, joints=record["joints"][..., :2]) for record in pictures("jhmdb-15")]
    report = check(corpus(poses, layout="jhmdb-15", channels=("x", "y"), labels=("stand",)))
    assert report.skipped == (
        "mirrored clips (jhmdb-15 lacks the joints)",
        "leakage by subject or recording (neither in fields nor in ids)",
    )


def test_findings_have_the_severity_of_their_rule():
    assert Finding("gap", "a", "").severity == "warning" and limits.FEW == 5
