"""A clean corpus has no findings; a fault of every kind is found where it is, and its harmless
neighbour is not.
"""

import numpy as np
import pytest

from jaxact.check import RULES, check
from tests.check.corpora import (
    HALVES,
    LABELS,
    clean,
    copy,
    corpus,
    exchange_persons,
    exchange_sides,
    flip,
    freeze,
    mirror_image,
    on_head,
    put,
    setting,
    spoil,
    stretch,
    zero,
)

RECORDS = clean()

# rule -> (the fault, id that is reported, frames that are reported or None for any)
FAULTS = {
    "unreadable": (put("wave_s01_r0", problem="'a.npy' is not readable"), "wave_s01_r0", ()),
    "joint-count": (spoil("wave_s01_r1", lambda joints: joints[:, :, :20]), "wave_s01_r1", ()),
    "label-range": (put("wave_s02_r0", label=3), "wave_s02_r0", ()),
    "empty": (spoil("wave_s02_r1", zero(slice(None))), "wave_s02_r1", ()),
    "not-finite": (spoil("jump_s01_r0", setting(np.nan, (7, 0, 3, 1))), "jump_s01_r0", (7,)),
    "gap": (spoil("jump_s01_r1", zero(slice(10, 13))), "jump_s01_r1", (10, 11, 12)),
    "person-gap": (spoil("handshake_s01_r0", zero(slice(20, 22), 1)), "handshake_s01_r0", (20, 21)),
    "person-swap": (
        spoil("handshake_s01_r1", exchange_persons(slice(9, 14))),
        "handshake_s01_r1",
        (9, 14),
    ),
    "left-right-swap": (
        spoil("jump_s02_r0", exchange_sides(slice(15, 18))),
        "jump_s02_r0",
        (15, 18),
    ),
    "exploding-bones": (spoil("jump_s02_r1", stretch(6.0, slice(30, 31))), "jump_s02_r1", (30,)),
    "frozen": (
        spoil("handshake_s02_r0", freeze(slice(11, 16))),
        "handshake_s02_r0",
        tuple(range(11, 16)),
    ),
    "scale-mixed": (
        spoil("handshake_s02_r1", lambda joints: 1000 * joints),
        "handshake_s02_r1",
        (),
    ),
    "y-flipped": (spoil("wave_s03_r0", flip), "wave_s03_r0", ()),
    "upside-down": (spoil("jump_s03_r1", on_head(0.7)), "jump_s03_r1", ()),
    "mirrored": (spoil("jump_s03_r0", exchange_sides(slice(None))), "jump_s03_r0", ()),
    "duplicate-id": (put("jump_s06_r1", id="jump_s06_r0"), "jump_s06_r0", ()),
    "duplicate-content": (copy("handshake_s03_r0", "handshake_s03_r1"), "handshake_s03_r1", ()),
    "content-leak": (copy("handshake_s04_r0", "handshake_s06_r0"), "handshake_s06_r0", ()),
    "subject-leak": (put("wave_s06_r0", subject=4), "4", ()),
}

# rule -> what is much like the fault and yet harmless
HARMLESS = {
    "unreadable": put("wave_s01_r0", comment="a field that no rule knows"),
    "joint-count": spoil("wave_s01_r1", lambda joints: joints[:, :1]),
    "label-range": put("wave_s02_r0", label=2),
    "empty": spoil("wave_s02_r1", zero(slice(1, None))),
    "not-finite": spoil("jump_s01_r0", setting(0, (7, 0, 3))),
    "gap": spoil(
        "jump_s01_r1", lambda joints: np.concatenate([0 * joints[:3], joints, 0 * joints[:4]])
    ),
    "person-gap": spoil("handshake_s01_r0", zero(slice(20, None), 1)),
    "person-swap": spoil("handshake_s01_r1", exchange_persons(slice(None))),
    "left-right-swap": spoil("jump_s02_r0", exchange_sides(slice(15, 18), only=(6, 7, 10, 11))),
    "exploding-bones": spoil("jump_s02_r1", stretch(1.5, slice(30, 31))),
    "frozen": spoil("handshake_s02_r0", freeze(slice(11, 15))),
    "scale-mixed": spoil(
        "handshake_s02_r1", lambda joints: joints + 20 * (joints != 0) * (0, 0, 1)
    ),
    "y-flipped": spoil("wave_s03_r0", on_head(0.4)),
    "upside-down": spoil("jump_s03_r1", on_head(0.45)),
    "mirrored": spoil("jump_s03_r0", mirror_image),
    "duplicate-id": put("jump_s06_r1", id="Jump_s06_r0"),
    "duplicate-content": copy("handshake_s03_r0", "handshake_s03_r1", noise=1e-4),
    "content-leak": copy("handshake_s04_r0", "handshake_s06_r0", noise=1e-4),
    "subject-leak": put("wave_s06_r0", subject=3),
}


def findings_of(records: list[dict], **options) -> set[tuple[str, str]]:
    return {(finding.rule, finding.id) for finding in check(corpus(records, **options)).findings}


def planted(*faults) -> list[dict]:
    records = [dict(record) for record in RECORDS]
    for fault in faults:
        fault(records)
    return records


def test_nothing_is_found_in_a_clean_corpus():
    report = check(corpus(RECORDS))
    assert report.findings == () and report.clips == 30
    assert report.frames == sum(len(record["joints"]) for record in RECORDS) and report.up
    assert str(report) == f"toy: 30 clips, {report.frames} frames; 0 errors, 0 warnings, 0 notes"


@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_is_found_where_it_is_and_nothing_else(rule):
    fault, name, frames = FAULTS[rule]
    report = check(corpus(planted(fault)))
    assert [(finding.rule, finding.id, finding.frames) for finding in report.findings] == [
        (rule, name, frames)
    ]
    assert report.count(RULES[rule].severity) == 1


def test_what_is_much_like_the_faults_and_harmless_is_not_found():
    """Each in the clip of its fault, all in one corpus, so that whatever is found names the
    culprit.
    """
    assert HARMLESS.keys() == FAULTS.keys()
    assert findings_of(planted(*HARMLESS.values())) == set()


def test_all_faults_at_once_are_found_each_with_its_id():
    records = planted(*(fault for fault, *_ in FAULTS.values()))
    assert findings_of(records) == {(rule, name) for rule, (_, name, _) in FAULTS.items()}


def test_every_rule_has_a_planted_fault():
    from tests.check import test_sets

    assert set(FAULTS) | set(test_sets.PLANTED) == set(RULES)


def test_an_acrobat_among_many_is_a_note_and_a_class_of_handstands_too():
    report = check(corpus(planted(spoil("wave_s03_r1", on_head(0.7)))))
    assert [finding.severity for finding in report.findings] == ["note"]
    handstands = [spoil(f"wave_s{subject:02d}_r0", on_head(1.0)) for subject in (1, 2, 4, 3, 6)]
    assert {rule for rule, _ in findings_of(planted(*handstands))} == {"upside-down"}


def test_a_person_who_moves_to_another_slot_is_a_swap_and_one_who_leaves_as_another_comes_is_not():
    def hop(joints: np.ndarray) -> None:
        joints[20:, 1] = joints[20:, 0]
        joints[20:, 0] = 0

    def relay(joints: np.ndarray) -> None:
        hop(joints)
        joints[20:, 1] += (joints[20:, 1] != 0) * np.float32((1.5, 0, 0))

    assert findings_of(planted(spoil("wave_s01_r0", hop))) == {("person-swap", "wave_s01_r0")}
    assert findings_of(planted(spoil("wave_s01_r0", relay))) == set()


def test_a_copy_with_another_label_says_so():
    report = check(corpus(planted(copy("wave_s01_r0", "jump_s01_r0"))))
    assert [f.detail for f in report.findings] == [
        "the joints of 'wave_s01_r0', under another label"
    ]


def test_a_copy_is_a_leak_only_where_one_protocol_trains_and_tests_on_it():
    records = [
        dict(record, cell=f"{record['cell']}{index % 2}") for index, record in enumerate(RECORDS)
    ]
    copy("handshake_s04_r0", "handshake_s06_r0")(records)
    both = {"a": (("train0", "train1"), ("test1",)), "b": (("train1",), ("test0", "test1"))}
    # The one lies in train0, the other in test0: no protocol has both.
    assert ("duplicate-content", "handshake_s06_r0") in findings_of(records, protocols=both)
    assert ("content-leak", "handshake_s06_r0") in findings_of(
        records, protocols={"a": (("train0",), ("test0",))}
    )


def test_a_clip_listed_twice_is_one_finding_and_a_leak_where_both_halves_list_it():
    twice = [*RECORDS, RECORDS[0]]
    assert findings_of(twice) == {("duplicate-id", RECORDS[0]["id"])}
    leaking = [dict(RECORDS[0], cell="test", subject=3), *RECORDS]
    assert findings_of(leaking) == {
        ("duplicate-id", RECORDS[0]["id"]),
        ("content-leak", RECORDS[0]["id"]),
    }
    leaking = [*RECORDS, dict(RECORDS[0], cell="test", subject=3)]
    assert findings_of(leaking) == {
        ("duplicate-id", RECORDS[0]["id"]),
        ("content-leak", RECORDS[0]["id"]),
    }


def test_rules_can_be_left_out_and_unknown_ones_are_refused():
    fault, *_ = FAULTS["gap"]
    assert check(corpus(planted(fault)), ignore=["gap"]).findings == ()
    with pytest.raises(
        ValueError, match=r"unknown rule 'gaps'; available: absent-class, .*did you mean 'gap'"
    ):
        check(corpus(RECORDS), ignore=["gaps"])


def test_labels_of_the_corpus_are_the_generators():
    assert {record["label"] for record in RECORDS} == set(range(len(LABELS))) and set(HALVES) == {
        "train/test"
    }
