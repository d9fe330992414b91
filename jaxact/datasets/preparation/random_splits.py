"""Splits that are drawn: a quarter of the clips for testing, clip by clip or group by group; and
what a split leaks.

Draws rank names by a hash, so that they depend on the names alone: not on the order of files, not
on a generator.
"""

import collections
import hashlib
from collections.abc import Iterable, Mapping, Sequence

SEED = 0
SHARE = 4  # one clip in so many is tested on
BY_CLIP, BY_GROUP = "random_3to1", "group"

Splits = Sequence[tuple[str, ...]]


def draw_splits(
    ids: Sequence[str], labels: Sequence[int], groups: Sequence[str]
) -> list[tuple[str, ...]]:
    """For each clip its drawn splits: `random_3to1_train` or `_test`, and `group_train` or `_test`.

    Args:
      ids: of the clips, all different.
      labels: their classes.
      groups: what each clip was cut from, "" where that is unknown; without any there is no split
          by group.
    """
    tested = {BY_CLIP: draw_by_clip(ids)}
    if any(groups):
        tested[BY_GROUP] = draw_by_group(ids, labels, groups)
    return [
        tuple(f"{name}_{'test' if clip in test else 'train'}" for name, test in tested.items())
        for clip in ids
    ]


def draw_by_clip(ids: Sequence[str]) -> set[str]:
    """A quarter of the clips, to test on, without regard to what they were cut from: the random 3:1
    of some papers.
    """
    return set(_ranked(ids)[: round(len(ids) / SHARE)])


def draw_by_group(ids: Sequence[str], labels: Sequence[int], groups: Sequence[str]) -> set[str]:
    """About a quarter of the clips of each class, whole groups of them, to test on.

    Groups come in a drawn order; one is tested on if that brings each of its classes nearer to a
    quarter, or as near. A clip without a group is a group of its own.
    """
    members: dict[str, list[int]] = collections.defaultdict(list)
    for index, (clip, group) in enumerate(zip(ids, groups, strict=True)):
        members[f"group {group}" if group else f"clip {clip}"].append(index)
    sizes, tested, test = collections.Counter(labels), collections.Counter(), set()
    for group in _ranked(members):
        more = collections.Counter(labels[index] for index in members[group])
        # |taken + n - wanted| <= |taken - wanted|, in whole numbers
        if all(
            SHARE * (2 * tested[label] + count) <= 2 * sizes[label] for label, count in more.items()
        ):
            tested += more
            test |= {ids[index] for index in members[group]}
    return test


def count_leaks(splits: Splits, groups: Sequence[str]) -> dict[str, int | None]:
    """Test split -> how many of its clips are of a group that is in training too, where there are
    any.

    Clips of unknown groups do not count. Where there are such, the split that is drawn clip by clip
    has None: it leaks wherever several clips are of one recording. A split that somebody made is
    given the benefit of the doubt.

    Args:
      splits: of each clip. `x_test` is the test of `x_train`, and `test` that of `train`.
      groups: of each clip, "" where it is unknown.
    """
    by_split: dict[str, list[str]] = collections.defaultdict(list)
    for names, group in zip(splits, groups, strict=True):
        for name in names:
            by_split[name].append(group)
    found: dict[str, int | None] = {}
    for test in sorted(name for name in by_split if name == "test" or name.endswith("_test")):
        train = set(by_split.get(f"{test.removesuffix('test')}train", ())) - {""}
        if count := sum(group in train for group in by_split[test]):
            found[test] = count
        elif test == f"{BY_CLIP}_test" and "" in by_split[test]:
            found[test] = None
    return found


def _ranked(names: Iterable[str] | Mapping[str, object]) -> list[str]:
    return sorted(names, key=lambda name: hashlib.sha256(f"{SEED}/{name}".encode()).digest())
