"""Random splits: a quarter of the clips or groups, by names alone; and leaks between splits."""

import collections

import pytest

from jaxact.datasets.preparation import random_splits

IDS = [
    f"c{label}/g{group:02d}_{clip}"
    for label in range(4)
    for group in range(12)
    for clip in range(2 + group % 3)
]
LABELS = [int(clip[1]) for clip in IDS]
GROUPS = [clip.rpartition("_")[0] for clip in IDS]


def halves(splits, name: str) -> dict[str, set[str]]:
    clips_by_half = collections.defaultdict(set)
    for clip, names in zip(IDS, splits, strict=True):
        (half,) = [
            split.removeprefix(f"{name}_") for split in names if split.startswith(f"{name}_t")
        ]
        clips_by_half[half].add(clip)
    return clips_by_half


def test_both_draws_hold_out_a_quarter_and_every_clip_is_on_one_side():
    splits = random_splits.draw_splits(IDS, LABELS, GROUPS)
    by_clip, by_group = halves(splits, "random_3to1"), halves(splits, "group")
    for clips in (by_clip, by_group):
        assert set(clips) == {"train", "test"} and len(clips["train"] | clips["test"]) == len(IDS)
    assert len(by_clip["test"]) == round(len(IDS) / 4)
    for label in range(4):
        count = sum(clip.startswith(f"c{label}") for clip in by_group["test"])
        assert abs(count - LABELS.count(label) / 4) <= 2  # half of the largest group


def test_the_draw_by_group_cuts_no_group_and_the_one_by_clip_does():
    splits = random_splits.draw_splits(IDS, LABELS, GROUPS)
    for name, whole in (("group", True), ("random_3to1", False)):
        clips = halves(splits, name)
        train, test = (
            {clip.rpartition("_")[0] for clip in clips[half]} for half in ("train", "test")
        )
        assert (not train & test) is whole


def test_draws_depend_on_names_alone():
    order = sorted(range(len(IDS)), key=lambda index: IDS[index][::-1])
    shuffled = random_splits.draw_splits(
        [IDS[i] for i in order], [LABELS[i] for i in order], [GROUPS[i] for i in order]
    )
    assert [shuffled[order.index(i)] for i in range(len(IDS))] == random_splits.draw_splits(
        IDS, LABELS, GROUPS
    )
    # Written down once: another choice would make other numbers of every set.
    assert sorted(random_splits.draw_by_clip([f"clip{i}" for i in range(12)])) == [
        "clip0",
        "clip4",
        "clip9",
    ]


@pytest.mark.parametrize(
    ("sizes", "held_out"),
    [([1, 1, 1, 1], 1), ([1, 1], 1), ([5], 0), ([3, 3, 3], 1), ([1] * 10, 3)],
    ids=["four", "two", "one", "three", "ten"],
)
def test_as_many_groups_are_held_out_as_come_nearest_to_a_quarter(sizes, held_out):
    groups = [f"g{number}" for number, size in enumerate(sizes) for _ in range(size)]
    ids = [f"{group}_{place}" for place, group in enumerate(groups)]
    test = random_splits.draw_by_group(ids, [0] * len(ids), groups)
    assert len({clip.partition("_")[0] for clip in test}) == held_out


def test_a_group_of_several_classes_stays_whole():
    labels = [0, 1] * 20
    groups = [f"g{index // 2}" for index in range(40)]
    ids = [f"{index}" for index in range(40)]
    test = {int(clip) for clip in random_splits.draw_by_group(ids, labels, groups)}
    assert len(test) == 10 and all(index ^ 1 in test for index in test)


def test_clips_without_a_group_are_groups_of_their_own():
    splits = random_splits.draw_splits(["a", "b", "c", "d"], [0] * 4, ["x", "x", "", ""])
    assert all(len(names) == 2 for names in splits)
    assert random_splits.draw_splits(["a", "b", "c", "d"], [0] * 4, [""] * 4) == [
        names[:1] for names in splits
    ]


def test_a_leak_is_counted_in_test_clips():
    splits = [
        ("x_train",),
        ("x_test", "y_test"),
        ("x_test",),
        ("x_test", "y_train"),
        ("test",),
        ("train",),
    ]
    groups = ["a", "a", "a", "b", "c", "c"]
    assert random_splits.count_leaks(splits, groups) == {"x_test": 2, "test": 1}
    assert random_splits.count_leaks(splits, list("abcdef")) == {}


def test_without_groups_only_the_draw_by_clip_is_suspected():
    splits = [("x_train", "random_3to1_train"), ("x_test", "random_3to1_test")]
    assert random_splits.count_leaks(splits, ["", ""]) == {"random_3to1_test": None}
    assert random_splits.count_leaks(splits, ["a", "b"]) == {}
