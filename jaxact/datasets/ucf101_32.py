"""The 32 classes of UCF101 for online recognition, at most 125 clips of each, and five folds of
them.

Li (Computer Science and Application 14(1), 2024, section 5) recognises 32 classes in 4000 clips and
names three of them (Bowling, GolfSwing, TennisSwing). The others are a decision taken here: the
whole body is seen, mostly of one person. A few classes have fewer than 125 clips, so that there are
a little fewer than 4000. Neither is the paper's split known.

Poses come from UCF101's videos, as for `skeletons_from_video`, or from a pickle of them as pyskl
has it.
"""

import collections
import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxact.datasets.formats.label_table import group_by_splits
from jaxact.datasets.preparation import random_splits
from jaxact.datasets.preparation.builder import RawClip, RawDataset, Record
from jaxact.datasets.preparation.video_builder import CHANNELS, PICTURE, video_files
from jaxact.datasets.pyskl import Pyskl
from jaxact.datasets.skeletons_from_video import SkeletonsFromVideo, parse
from jaxact.datasets.ucf101 import CLIP
from jaxact.errors import UserError, unknown

CLASSES = (
    *(
        "Archery",
        "BaseballPitch",
        "Basketball",
        "BasketballDunk",
        "BodyWeightSquats",
        "Bowling",
        "BoxingPunchingBag",
    ),
    *(
        "CleanAndJerk",
        "CricketBowling",
        "CricketShot",
        "Diving",
        "FrisbeeCatch",
        "GolfSwing",
        "HammerThrow",
    ),
    *(
        "HandstandPushups",
        "HighJump",
        "HulaHoop",
        "JavelinThrow",
        "JumpingJack",
        "JumpRope",
        "LongJump",
        "Lunges",
    ),
    *(
        "PoleVault",
        "PullUps",
        "PushUps",
        "Shotput",
        "SoccerJuggling",
        "SoccerPenalty",
        "TaiChi",
        "TennisSwing",
    ),
    *("ThrowDiscus", "VolleyballSpiking"),
)
MOST = 125  # clips of a class
FOLDS = 5
SEED = 0


class Ucf101_32(SkeletonsFromVideo):
    """Poses of 32 classes of UCF101, x and y in 0..1 of the picture, y down, and a score.

    `fold1_test` to `fold5_test` are fifths of every class, drawn clip by clip, so that clips of one
    recording lie on both sides; `group_fold1_test` and so on hold out whole recordings. Each has
    its `_train`.
    """

    EXPECTS = (
        "the clips v_<class>_g<group>_c<clip>.avi at any depth, with OpenPose's files beside them or --checkpoint RUN; "
        "or pyskl's ucf101_2d.pkl"
    )
    LICENCE = "unknown; clips from YouTube, for research"
    NAMED = False

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per clip of the subset: videos, or annotations of a pickle."""
        if raw.is_file():
            found = Pyskl.find(raw, layout=layout)
            return _subset(found.sources, found, {"from": "annotations"})
        paths = [path for path in video_files(raw, cls.EXPECTS) if CLIP.fullmatch(path.stem)]
        sources = [RawClip(path.stem, str(path), "", 0) for path in paths]
        return _subset(
            sources, RawDataset(sources=sources, labels=(), layout=PICTURE, channels=CHANNELS)
        )

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """One annotation, or the people of one video by the files beside it."""
        yield from (Pyskl.parse if "index" in source.facts else parse)(source)

    @classmethod
    def extras(cls, found: RawDataset) -> dict[str, Any]:
        """The picture's size and, of videos, the rate."""
        annotated = found.stored.get("poses") == {"from": "annotations"}
        return Pyskl.extras(found) if annotated else super().extras(found)


def _subset(
    sources: Sequence[RawClip], found: RawDataset, poses: Mapping[str, Any] | None = None
) -> RawDataset:
    """Those of the sources that belong to the subset, in its folds."""
    names = {source.id: match for source in sources if (match := CLIP.fullmatch(source.id))}
    held = {source.id: source for source in sources if source.id in names}
    labels = chosen(list(held), [names[clip]["action"] for clip in held])
    ids, groups = list(labels), [clip.rpartition("_")[0].casefold() for clip in labels]
    splits = [
        (*by_clip, *by_group)
        for by_clip, by_group in zip(
            *(folds(ids, list(labels.values()), groups, by) for by in ("clip", "group")),
            strict=True,
        )
    ]
    wanted = {name.casefold() for name in CLASSES}
    others = sum(
        clip not in names or names[clip]["action"].casefold() not in wanted
        for clip in map(_id, sources)
    )
    dropped = {
        "of other classes": others,
        f"beyond {MOST} of a class": len(sources) - others - len(ids),
    }
    made = group_by_splits(
        ids=ids,
        paths=[held[clip].path for clip in ids],
        labels=list(labels.values()),
        splits=splits,
        names=CLASSES,
        layout=found.layout,
        channels=found.channels,
        facts=[held[clip].facts for clip in ids],
        leaks=random_splits.count_leaks(splits, groups),
        dropped={reason: count for reason, count in dropped.items() if count},
        stored={} if poses is None else {"poses": dict(poses)},
    )
    return dataclasses.replace(made, single_process=found.single_process)


def _id(source: RawClip) -> str:
    return source.id


def chosen(ids: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    """Clip -> label, of the clips that belong to the subset: of each class the first 125 in a drawn
    order.

    The draw ranks ids by a hash, so that it depends on them alone. Class names are matched without
    regard to case, and numbered as in `CLASSES`.

    Args:
      ids: of all clips, all different.
      names: of their classes.

    Raises:
      UserError: a class without a clip.
    """
    labels = {name.casefold(): label for label, name in enumerate(CLASSES)}
    members: dict[int, list[str]] = collections.defaultdict(list)
    for clip, name in zip(ids, names, strict=True):
        if name.casefold() in labels:
            members[labels[name.casefold()]].append(clip)
    if missing := [name for label, name in enumerate(CLASSES) if label not in members]:
        raise UserError(
            f"the clips have none of {', '.join(missing)}; wanted all {len(CLASSES)} classes of the subset"
        )
    return {clip: label for label in sorted(members) for clip in _ranked(members[label])[:MOST]}


def folds(
    ids: Sequence[str], labels: Sequence[int], groups: Sequence[str], by: str = "clip"
) -> list[tuple[str, ...]]:
    """For each clip its splits `fold1_test` and `fold2_train` ... `fold5_train`; one of the five
    tests on it.

    Of each class every fold tests on a fifth: by clip, dealt out in a drawn order, so that folds
    differ by one clip at most. Clips of one recording then stand on both sides, as with any random
    split. By group, the recordings are dealt out, largest first, each to the fold that has fewest
    clips of its class; the names are `group_fold1_test` ....

    Args:
      ids: of the clips, all different.
      labels: their classes.
      groups: what each was cut from.
      by: "clip" or "group".

    Raises:
      UserError: neither "clip" nor "group", or groups that are not known.
    """
    if by not in ("clip", "group"):
        raise unknown("kind of folds", by, ("clip", "group"))
    if by == "group" and not all(groups):
        raise UserError("folds by group need the group of every clip; it is not known of some")
    tested = _dealt_clips(ids, labels) if by == "clip" else _dealt_groups(ids, labels, groups)
    prefix = "group_" if by == "group" else ""
    return [
        tuple(
            f"{prefix}fold{fold + 1}_{'test' if fold == tested[clip] else 'train'}"
            for fold in range(FOLDS)
        )
        for clip in ids
    ]


def _dealt_clips(ids: Sequence[str], labels: Sequence[int]) -> dict[str, int]:
    """The fold that tests on each clip; class after class goes on where the one before stopped."""
    label_of = dict(zip(ids, labels, strict=True))
    order = sorted(_ranked(ids), key=lambda clip: label_of[clip])
    return {clip: place % FOLDS for place, clip in enumerate(order)}


def _dealt_groups(
    ids: Sequence[str], labels: Sequence[int], groups: Sequence[str]
) -> dict[str, int]:
    members: dict[str, list[str]] = collections.defaultdict(list)
    for clip, group in zip(ids, groups, strict=True):
        members[group].append(clip)
    label_of = dict(zip(ids, labels, strict=True))
    size: collections.Counter[tuple[int, int]] = collections.Counter()  # clips of a class in a fold
    tested = {}
    for group in sorted(_ranked(members), key=lambda group: -len(members[group])):
        own = collections.Counter(label_of[clip] for clip in members[group])
        fold = min(
            range(FOLDS),
            key=lambda fold: sum(size[fold, label] * count for label, count in own.items()),
        )
        for label, count in own.items():
            size[fold, label] += count
        tested |= dict.fromkeys(members[group], fold)
    return tested


def _ranked(names: Sequence[str] | dict[str, list[str]]) -> list[str]:
    return sorted(names, key=lambda name: hashlib.sha256(f"{SEED}/{name}".encode()).digest())
