"""Random splits with a quarter of the clips for testing, by clip or by group; leaks of a split.

Names are ranked by a hash. A split therefore depends on the names alone, not on the order of the
files or on a random generator.
"""

import collections
import hashlib
from collections.abc import Iterable, Sequence

SEED = 0
TEST_DIVISOR = 4  # one clip in four is a test clip
BY_CLIP, BY_GROUP = "random_3to1", "group"

Splits = Sequence[tuple[str, ...]]


def draw_splits(
    ids: Sequence[str], labels: Sequence[int], groups: Sequence[str]
) -> list[tuple[str, ...]]:
    """Draws the random splits of each clip.

    Args:
        ids: ids of the clips, all different.
        labels: classes of the clips.
        groups: what each clip was cut from; "" where that is unknown. Without any group there is no
          split by group.

    Returns:
        For each clip `random_3to1_train` or `_test`, and `group_train` or `_test`.
    """
    test_clips = {BY_CLIP: draw_by_clip(ids)}
    if any(groups):
        test_clips[BY_GROUP] = draw_by_group(ids, labels, groups)
    splits = []
    for clip in ids:
        names = []
        for name, test in test_clips.items():
            names.append(f"{name}_test" if clip in test else f"{name}_train")
        splits.append(tuple(names))
    return splits


def draw_by_clip(ids: Sequence[str]) -> set[str]:
    """Draws a quarter of the clips for testing, whatever they were cut from.

    Some papers call this split "random 3:1".
    """
    return set(_rank(ids)[: round(len(ids) / TEST_DIVISOR)])


def draw_by_group(ids: Sequence[str], labels: Sequence[int], groups: Sequence[str]) -> set[str]:
    """Draws about a quarter of the clips of each class for testing, in whole groups.

    Groups are visited in a random order. A group is drawn if that brings each of its classes
    nearer to a quarter, or as near. A clip without a group is a group of its own.
    """
    members: dict[str, list[int]] = collections.defaultdict(list)
    for index, (clip, group) in enumerate(zip(ids, groups, strict=True)):
        members[f"group {group}" if group else f"clip {clip}"].append(index)
    class_sizes = collections.Counter(labels)
    test_sizes = collections.Counter()
    test = set()
    for group in _rank(members):
        group_sizes = collections.Counter(labels[index] for index in members[group])
        # |drawn + n - quarter| <= |drawn - quarter|, in whole numbers
        if all(
            TEST_DIVISOR * (2 * test_sizes[label] + count) <= 2 * class_sizes[label]
            for label, count in group_sizes.items()
        ):
            test_sizes += group_sizes
            test |= {ids[index] for index in members[group]}
    return test


def count_leaks(splits: Splits, groups: Sequence[str]) -> dict[str, int | None]:
    """Counts the clips of each test split whose group is also in the matching training split.

    Clips of unknown groups do not count. Where there are such clips, the split drawn clip by clip
    has None: it leaks if several clips come from one recording. Other splits with unknown groups
    are assumed not to leak.

    Args:
        splits: splits of each clip. `x_test` is the test split of `x_train`, and `test` that of
          `train`.
        groups: group of each clip; "" where it is unknown.

    Returns:
        Test split -> number of clips, for the splits that leak.
    """
    groups_by_split: dict[str, list[str]] = collections.defaultdict(list)
    for names, group in zip(splits, groups, strict=True):
        for name in names:
            groups_by_split[name].append(group)
    leaks: dict[str, int | None] = {}
    for test in sorted(groups_by_split):
        if test != "test" and not test.endswith("_test"):
            continue
        train = f"{test.removesuffix('test')}train"
        train_groups = set(groups_by_split.get(train, ())) - {""}
        count = sum(group in train_groups for group in groups_by_split[test])
        if count:
            leaks[test] = count
        elif test == f"{BY_CLIP}_test" and "" in groups_by_split[test]:
            leaks[test] = None
    return leaks


def _rank(names: Iterable[str]) -> list[str]:
    """The names in a random order that depends on the names alone."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{SEED}/{name}".encode()).digest())
