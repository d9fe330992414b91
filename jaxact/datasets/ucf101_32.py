"""32 classes of UCF101 for online recognition, at most 125 clips of each, in five folds.

Li (Computer Science and Application 14(1), 2024, section 5) recognises 32 classes in 4000 clips and
names three of them (Bowling, GolfSwing, TennisSwing). The other classes are our choice: they show
the whole body, mostly of one person. A few classes have fewer than 125 clips, so that there are
slightly fewer than 4000. The paper does not state its split either.

Poses come from UCF101's videos, as for `skeletons_from_video`, or from pyskl's pickle of them.
"""

import collections
import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxact.datasets.formats.label_table import ListedClip, group_by_splits
from jaxact.datasets.preparation import random_splits
from jaxact.datasets.preparation.builder import RawClip, RawDataset, Record
from jaxact.datasets.preparation.video_builder import CHANNELS, PICTURE, video_files
from jaxact.datasets.pyskl import Pyskl
from jaxact.datasets.skeletons_from_video import SkeletonsFromVideo, parse
from jaxact.datasets.ucf101 import CLIP
from jaxact.errors import UserError, unknown

# fmt: off
CLASSES = (
    "Archery", "BaseballPitch", "Basketball", "BasketballDunk", "BodyWeightSquats", "Bowling",
    "BoxingPunchingBag", "CleanAndJerk", "CricketBowling", "CricketShot", "Diving", "FrisbeeCatch",
    "GolfSwing", "HammerThrow", "HandstandPushups", "HighJump", "HulaHoop", "JavelinThrow",
    "JumpingJack", "JumpRope", "LongJump", "Lunges", "PoleVault", "PullUps", "PushUps", "Shotput",
    "SoccerJuggling", "SoccerPenalty", "TaiChi", "TennisSwing", "ThrowDiscus", "VolleyballSpiking",
)
# fmt: on
MAX_CLIPS = 125  # of a class
FOLDS = 5
SEED = 0
ANNOTATED = {"from": "annotations"}  # where the poses of a pickle come from


class Ucf101_32(SkeletonsFromVideo):
    """Poses of 32 classes of UCF101: x and y in 0..1 of the picture, y down, and a score.

    `fold1_test` to `fold5_test` are fifths of every class, drawn clip by clip, so that clips of one
    recording are in training and test. `group_fold1_test` to `group_fold5_test` hold out whole
    recordings. Each has its `_train`.
    """

    EXPECTS = (
        "the clips v_<class>_g<group>_c<clip>.avi at any depth, "
        "with OpenPose's files beside them or --pose SPEC; or pyskl's ucf101_2d.pkl"
    )
    LICENCE = "unknown; clips from YouTube, for research"
    NAMED = False

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per clip of the subset: videos, or annotations of a pickle."""
        if raw.is_file():
            return _subset(Pyskl.find(raw, layout=layout), stored={"poses": ANNOTATED})
        raw_clips = []
        for path in video_files(raw, cls.EXPECTS):
            if CLIP.fullmatch(path.stem):
                raw_clips.append(RawClip(path.stem, str(path), "", 0))
        videos = RawDataset(clips=raw_clips, labels=(), layout=PICTURE, channels=CHANNELS)
        return _subset(videos, stored={})

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """One annotation, or the poses of one video from the files beside it."""
        if "index" in raw_clip.facts:
            yield from Pyskl.parse(raw_clip)
        else:
            yield from parse(raw_clip)

    @classmethod
    def extras(cls, dataset: RawDataset) -> dict[str, Any]:
        """Size of the picture and, for videos, the frame rate."""
        if dataset.stored.get("poses") == ANNOTATED:
            return Pyskl.extras(dataset)
        return super().extras(dataset)


def _subset(dataset: RawDataset, stored: Mapping[str, Any]) -> RawDataset:
    """The clips of a set of UCF101 that belong to the subset, with their folds.

    Args:
        dataset: Clips of UCF101, of any class.
        stored: Metadata of the result.
    """
    class_keys = {name.casefold() for name in CLASSES}
    members: dict[str, RawClip] = {}
    actions: dict[str, str] = {}
    other_classes = 0
    for raw_clip in dataset.clips:
        match = CLIP.fullmatch(raw_clip.id)
        if match and match["action"].casefold() in class_keys:
            members[raw_clip.id] = raw_clip
            actions[raw_clip.id] = match["action"]
        else:
            other_classes += 1
    label_of_clip = select_clips(list(actions), list(actions.values()))
    ids = list(label_of_clip)
    labels = list(label_of_clip.values())
    groups = [clip.rpartition("_")[0].casefold() for clip in ids]
    by_clip = assign_folds(ids, labels, groups, "clip")
    by_group = assign_folds(ids, labels, groups, "group")
    splits = [by_clip[index] + by_group[index] for index in range(len(ids))]
    clips = []
    for clip, label, clip_splits in zip(ids, labels, splits, strict=True):
        raw_clip = members[clip]
        clips.append(
            ListedClip(
                id=clip, path=raw_clip.path, label=label, splits=clip_splits, facts=raw_clip.facts
            )
        )
    dropped = {
        "of other classes": other_classes,
        f"beyond {MAX_CLIPS} of a class": len(dataset.clips) - other_classes - len(ids),
    }
    subset = group_by_splits(
        clips,
        names=CLASSES,
        layout=dataset.layout,
        channels=dataset.channels,
        leaks=random_splits.count_leaks(splits, groups),
        dropped={reason: count for reason, count in dropped.items() if count},
        stored=dict(stored),
    )
    return dataclasses.replace(subset, single_process=dataset.single_process)


def select_clips(ids: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    """The clips of the subset and their labels: the first 125 of each class in a random order.

    The order ranks ids by a hash and so depends on them alone. Class names are matched without case
    and numbered as in `CLASSES`.

    Args:
        ids: Ids of all clips, all different.
        names: Class name of each clip.

    Raises:
        UserError: A class has no clip.
    """
    labels = {name.casefold(): label for label, name in enumerate(CLASSES)}
    members: dict[int, list[str]] = collections.defaultdict(list)
    for clip, name in zip(ids, names, strict=True):
        if name.casefold() in labels:
            members[labels[name.casefold()]].append(clip)
    absent = [name for label, name in enumerate(CLASSES) if label not in members]
    if absent:
        raise UserError(
            f"the clips have none of {', '.join(absent)}; "
            f"wanted all {len(CLASSES)} classes of the subset"
        )
    selected: dict[str, int] = {}
    for label in sorted(members):
        selected |= dict.fromkeys(_hash_order(members[label])[:MAX_CLIPS], label)
    return selected


def assign_folds(
    ids: Sequence[str], labels: Sequence[int], groups: Sequence[str], by: str = "clip"
) -> list[tuple[str, ...]]:
    """The splits of each clip, e.g. `fold1_test` and `fold2_train` to `fold5_train`.

    Every fold tests on a fifth of each class. By clip, the clips are dealt out in a random order,
    so that the sizes of folds differ by at most one clip. Clips of one recording are then in
    training and test, as with any random split. By group, the recordings are dealt out, largest
    first, each to the fold that has the fewest clips of its class; the splits are called
    `group_fold1_test` and so on.

    Args:
        ids: Ids of the clips, all different.
        labels: Class of each clip.
        groups: Recording of each clip.
        by: "clip" or "group".

    Raises:
        UserError: `by` is something else, or a recording is unknown.
    """
    if by not in ("clip", "group"):
        raise unknown("kind of folds", by, ("clip", "group"))
    if by == "clip":
        prefix = ""
        test_folds = _folds_by_clip(ids, labels)
    else:
        if not all(groups):
            raise UserError("folds by group need the group of every clip; some have none")
        prefix = "group_"
        test_folds = _folds_by_group(ids, labels, groups)
    splits = []
    for clip in ids:
        names = [f"{prefix}fold{fold}_train" for fold in range(1, FOLDS + 1)]
        test_fold = test_folds[clip]
        names[test_fold] = f"{prefix}fold{test_fold + 1}_test"
        splits.append(tuple(names))
    return splits


def _folds_by_clip(ids: Sequence[str], labels: Sequence[int]) -> dict[str, int]:
    """The fold that tests on each clip; each class continues where the one before stopped."""
    label_of_clip = dict(zip(ids, labels, strict=True))
    order = sorted(_hash_order(ids), key=label_of_clip.__getitem__)
    return {clip: index % FOLDS for index, clip in enumerate(order)}


def _folds_by_group(
    ids: Sequence[str], labels: Sequence[int], groups: Sequence[str]
) -> dict[str, int]:
    """The fold that tests on each clip; a group is in one fold."""
    members: dict[str, list[str]] = collections.defaultdict(list)
    for clip, group in zip(ids, groups, strict=True):
        members[group].append(clip)
    label_of_clip = dict(zip(ids, labels, strict=True))
    # Number of clips of a class in a fold, by (fold, label).
    sizes: collections.Counter[tuple[int, int]] = collections.Counter()
    test_folds: dict[str, int] = {}
    for group in sorted(_hash_order(members), key=lambda group: -len(members[group])):
        counts = collections.Counter(label_of_clip[clip] for clip in members[group])
        overlaps = []
        for fold in range(FOLDS):
            overlaps.append(sum(sizes[fold, label] * count for label, count in counts.items()))
        fold = overlaps.index(min(overlaps))
        for label, count in counts.items():
            sizes[fold, label] += count
        test_folds |= dict.fromkeys(members[group], fold)
    return test_folds


def _hash_order(names: Iterable[str]) -> list[str]:
    """The names in a random order that depends on the names alone."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{SEED}/{name}".encode()).digest())
