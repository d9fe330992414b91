"""Rules on protocols: leakage between training and test, and the number of clips per class."""

import collections
from collections.abc import Iterator, Mapping, Sequence

from jaxact.check import thresholds as limits
from jaxact.check.facts import Facts
from jaxact.check.findings import Finding
from jaxact.check.sets import Halves, Protocols

_TESTS = ("test", "val", "validation", "dev")


def protocols_of(unions: Mapping[str, Sequence[str]]) -> dict[str, Halves]:
    """Pairs the splits whose names differ in "train" and "test" (or "val") alone.

    `xsub_train` and `xsub_test` are the protocol `xsub`; `train` and `test` are `train/test`.
    Variants with the clips that a published list leaves out (`xsub_train_all`) are skipped, since
    they would repeat every finding.

    Args:
        unions: split -> its cells.

    Returns:
        Protocol -> (cells of training, cells of test).
    """
    protocols = {}
    for train, cells in unions.items():
        is_variant = train.endswith("_all") and train.removesuffix("_all") in unions
        if "train" not in train or is_variant:
            continue
        for other in _TESTS:
            test = train.replace("train", other)
            if test in unions:
                name = train.replace("train", "").strip("_")
                if not name or name in protocols:
                    name = f"{train}/{test}"
                protocols[name] = (tuple(cells), tuple(unions[test]))
    return protocols


def check_splits(
    clips: Sequence[Facts], labels: Sequence[str], protocols: Protocols
) -> Iterator[Finding]:
    """Yields leakage between the halves of every protocol, and imbalance of its classes."""
    for name, (train_cells, test_cells) in protocols.items():
        train = [clip for clip in clips if clip.cell in train_cells]
        test = [clip for clip in clips if clip.cell in test_cells]
        yield from _subject_leaks(name, train, test)
        yield from _group_leaks(name, train, test)
        yield from _class_balance(name, train, test, labels)
    present = {clip.label for clip in clips}
    for label, action in enumerate(labels):
        if label not in present:
            yield Finding("absent-class", action, f"label {label} has no clip")


def _subject_leaks(name: str, train: Sequence[Facts], test: Sequence[Facts]) -> Iterator[Finding]:
    in_train = collections.Counter(clip.subject for clip in train if clip.subject)
    in_test = collections.Counter(clip.subject for clip in test if clip.subject)
    shared = in_train.keys() & in_test.keys()
    # A split by camera shares nearly all subjects on purpose.
    by_name = "xsub" in name or "subject" in name
    if by_name or len(shared) < limits.SHARED * len(in_train | in_test):
        yield from _leaks("subject-leak", name, in_train, in_test)


def _group_leaks(name: str, train: Sequence[Facts], test: Sequence[Facts]) -> Iterator[Finding]:
    in_train = collections.Counter(clip.group for clip in train if clip.group)
    in_test = collections.Counter(clip.group for clip in test if clip.group)
    yield from _leaks("group-leak", name, in_train, in_test)


def _leaks(
    rule: str, protocol: str, in_train: Mapping[str, int], in_test: Mapping[str, int]
) -> Iterator[Finding]:
    for key in sorted(in_train.keys() & in_test.keys()):
        detail = f"{in_train[key]} training clips and {in_test[key]} test clips in {protocol}"
        yield Finding(rule, key, detail)


def _class_balance(
    name: str, train: Sequence[Facts], test: Sequence[Facts], labels: Sequence[str]
) -> Iterator[Finding]:
    train_counts = collections.Counter(clip.label for clip in train)
    test_counts = collections.Counter(clip.label for clip in test)
    largest = max(train_counts.values(), default=0)
    for label, action in enumerate(labels):
        trained, tested = train_counts[label], test_counts[label]
        if tested and not trained:
            detail = f"{tested} test clips and no training clip in {name}"
            yield Finding("untrained-class", action, detail)
        elif trained and not tested:
            detail = f"{trained} training clips and no test clip in {name}"
            yield Finding("untested-class", action, detail)
        if 0 < trained < limits.FEW:
            yield Finding("few-clips", action, f"{trained} training clips in {name}")
        elif trained and trained * limits.IMBALANCE < largest:
            detail = f"{trained} training clips where the largest class has {largest}, in {name}"
            yield Finding("imbalance", action, detail)
