"""The 32 classes of UCF101 for online recognition, at most 125 clips of each, and five folds of them.

Li (Computer Science and Application 14(1), 2024, section 5) recognises 32 classes in 4000 clips and names three of them
(Bowling, GolfSwing, TennisSwing). The others are a decision taken here: the whole body is seen, mostly of one person. A
few classes have fewer than 125 clips, so that there are a little fewer than 4000. Neither is the paper's split known.
"""

import collections
import hashlib
from collections.abc import Sequence

from jaxact.errors import UserError, unknown

CLASSES = (
    *("Archery", "BaseballPitch", "Basketball", "BasketballDunk", "BodyWeightSquats", "Bowling", "BoxingPunchingBag"),
    *("CleanAndJerk", "CricketBowling", "CricketShot", "Diving", "FrisbeeCatch", "GolfSwing", "HammerThrow"),
    *("HandstandPushups", "HighJump", "HulaHoop", "JavelinThrow", "JumpingJack", "JumpRope", "LongJump", "Lunges"),
    *("PoleVault", "PullUps", "PushUps", "Shotput", "SoccerJuggling", "SoccerPenalty", "TaiChi", "TennisSwing"),
    *("ThrowDiscus", "VolleyballSpiking"),
)
MOST = 125  # clips of a class
FOLDS = 5
SEED = 0


def chosen(ids: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    """Clip -> label, of the clips that belong to the subset: of each class the first 125 in a drawn order.

    The draw ranks ids by a hash, so that it depends on them alone. Class names are matched without regard to case, and
    numbered as in `CLASSES`.

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
        raise UserError(f"the clips have none of {', '.join(missing)}; wanted all {len(CLASSES)} classes of the subset")
    return {clip: label for label in sorted(members) for clip in _ranked(members[label])[:MOST]}


def folds(ids: Sequence[str], labels: Sequence[int], groups: Sequence[str], by: str = "clip") -> list[tuple[str, ...]]:
    """For each clip its splits `fold1_test` and `fold2_train` ... `fold5_train`; one of the five tests on it.

    Of each class every fold tests on a fifth: by clip, dealt out in a drawn order, so that folds differ by one clip at
    most. Clips of one recording then stand on both sides, as with any random split. By group, the recordings are dealt
    out, largest first, each to the fold that has fewest clips of its class; the names are `group_fold1_test` ....

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
        tuple(f"{prefix}fold{fold + 1}_{'test' if fold == tested[clip] else 'train'}" for fold in range(FOLDS))
        for clip in ids
    ]


def _dealt_clips(ids: Sequence[str], labels: Sequence[int]) -> dict[str, int]:
    """The fold that tests on each clip; class after class goes on where the one before stopped."""
    label_of = dict(zip(ids, labels, strict=True))
    order = sorted(_ranked(ids), key=lambda clip: label_of[clip])
    return {clip: place % FOLDS for place, clip in enumerate(order)}


def _dealt_groups(ids: Sequence[str], labels: Sequence[int], groups: Sequence[str]) -> dict[str, int]:
    members: dict[str, list[str]] = collections.defaultdict(list)
    for clip, group in zip(ids, groups, strict=True):
        members[group].append(clip)
    label_of = dict(zip(ids, labels, strict=True))
    size: collections.Counter[tuple[int, int]] = collections.Counter()  # clips of a class in a fold
    tested = {}
    for group in sorted(_ranked(members), key=lambda group: -len(members[group])):
        own = collections.Counter(label_of[clip] for clip in members[group])
        fold = min(range(FOLDS), key=lambda fold: sum(size[fold, label] * count for label, count in own.items()))
        for label, count in own.items():
            size[fold, label] += count
        tested |= dict.fromkeys(members[group], fold)
    return tested


def _ranked(names: Sequence[str] | dict[str, list[str]]) -> list[str]:
    return sorted(names, key=lambda name: hashlib.sha256(f"{SEED}/{name}".encode()).digest())
