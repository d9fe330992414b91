"""Rules on protocols: who is on both sides, and how many clips a class has on either."""

import collections
from collections.abc import Iterator, Mapping, Sequence

from jaxact.check import thresholds as limits
from jaxact.check.facts import Facts
from jaxact.check.findings import Finding
from jaxact.check.sets import Protocols

_TESTS = ("test", "val", "validation", "dev")


def protocols_of(
    unions: Mapping[str, Sequence[str]],
) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """The pairs of splits that differ in "train" and "test" (or "val") alone: name -> (cells to
    train, cells to test).

    `xsub_train` and `xsub_test` are the protocol `xsub`; `train` and `test` are `train/test`. The
    same splits with the clips that a published list leaves out (`xsub_train_all`) would only say
    everything twice.
    """
    found = {}
    for train, cells in unions.items():
        if train.endswith("_all") and train.removesuffix("_all") in unions:
            continue
        for test in (train.replace("train", other) for other in _TESTS):
            if "train" in train and test in unions:
                name = train.replace("train", "").strip("_") or f"{train}/{test}"
                found[name if name not in found else f"{train}/{test}"] = (
                    tuple(cells),
                    tuple(unions[test]),
                )
    return found


def of_splits(
    clips: Sequence[Facts], labels: Sequence[str], protocols: Protocols
) -> Iterator[Finding]:
    """Leakage between the halves of every protocol, and the balance of its classes."""
    for name, (train, test) in protocols.items():
        to_train, to_test = (
            [clip for clip in clips if clip.cell in cells] for cells in (train, test)
        )
        yield from _leaks(name, to_train, to_test)
        yield from _classes(name, to_train, to_test, labels)
    there = {clip.label for clip in clips}
    for label, action in enumerate(labels):
        if label not in there:
            yield Finding("absent-class", action, f"label {label} has no clip")


def _leaks(name: str, train: Sequence[Facts], test: Sequence[Facts]) -> Iterator[Finding]:
    subjects = [
        collections.Counter(clip.subject for clip in half if clip.subject) for half in (train, test)
    ]
    shared = subjects[0].keys() & subjects[1].keys()
    # A split by camera shares nearly all subjects, and means to.
    if (
        "xsub" in name
        or "subject" in name
        or len(shared) < limits.SHARED * len(subjects[0] | subjects[1])
    ):
        for subject in sorted(shared):
            told = f"{subjects[0][subject]} clips to train and {subjects[1][subject]} to test in {name}"
            yield Finding("subject-leak", subject, told)
    groups = [
        collections.Counter(clip.group for clip in half if clip.group) for half in (train, test)
    ]
    for group in sorted(groups[0].keys() & groups[1].keys()):
        told = f"{groups[0][group]} clips to train and {groups[1][group]} to test in {name}"
        yield Finding("group-leak", group, told)


def _classes(
    name: str, train: Sequence[Facts], test: Sequence[Facts], labels: Sequence[str]
) -> Iterator[Finding]:
    to_train, to_test = (collections.Counter(clip.label for clip in half) for half in (train, test))
    most = max(to_train.values(), default=0)
    for label, action in enumerate(labels):
        trained, tested = to_train[label], to_test[label]
        if tested and not trained:
            yield Finding(
                "untrained-class", action, f"{tested} test clips and none to train in {name}"
            )
        elif trained and not tested:
            yield Finding(
                "untested-class", action, f"{trained} training clips and none to test in {name}"
            )
        if 0 < trained < limits.FEW:
            yield Finding("few-clips", action, f"{trained} training clips in {name}")
        elif trained and trained * limits.IMBALANCE < most:
            yield Finding(
                "imbalance",
                action,
                f"{trained} training clips where the largest class has {most}, in {name}",
            )
