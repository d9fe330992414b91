"""Rules that compare the clips of a set: units, axes, sides and duplicates."""

import collections
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from jaxact.check import thresholds as limits
from jaxact.check.body import Anatomy
from jaxact.check.facts import Facts
from jaxact.check.findings import Finding

Protocols = Mapping[
    str, tuple[tuple[str, ...], tuple[str, ...]]
]  # name -> cells of training, cells of test


def of_set(
    clips: Sequence[Facts], anatomy: Anatomy, labels: Sequence[str], protocols: Protocols
) -> Iterator[Finding]:
    """Everything found by comparing the clips, except classes and subjects."""
    for clip in clips:
        if not 0 <= clip.label < len(labels):
            yield Finding("label-range", clip.id, f"label {clip.label} of {len(labels)} classes")
    yield from _units(clips, anatomy)
    upright = list(_upright(clips, anatomy))
    yield from upright
    # Turning y round turns left and right round with it: one fault, one finding.
    on_head = {finding.id for finding in upright}
    yield from _sides([clip for clip in clips if clip.id not in on_head], anatomy)
    yield from _duplicates(clips, protocols)


def _units(clips: Sequence[Facts], anatomy: Anatomy) -> Iterator[Finding]:
    known = [clip for clip in clips if clip.reach > 0]
    if not known:
        return
    reach = float(np.median([clip.reach for clip in known]))
    for clip in known:
        if not reach / limits.REACH_FACTOR <= clip.reach <= reach * limits.REACH_FACTOR:
            detail = f"coordinates reach {clip.reach:.4g} where the set's reach {reach:.4g}"
            yield Finding("scale-mixed", clip.id, detail)
    size = float(np.median([clip.size for clip in known]))
    low, high = limits.METRES
    if anatomy.dims == 2 and reach > limits.SHARES:
        yield Finding(
            "units", "*", f"coordinates reach {reach:.4g}: pixels; shares of the frame are 0 to 1"
        )
    elif anatomy.dims == 3 and size and not low <= size <= high:
        yield Finding("units", "*", f"a person is {size:.4g} large: not metres")


def _upright(clips: Sequence[Facts], anatomy: Anatomy) -> Iterator[Finding]:
    """Which way is up, for the set and for each clip against it."""
    known = [clip for clip in clips if not np.isnan(clip.up)]
    if not known:
        return
    upwards = sum(clip.up > 0.5 for clip in known)
    up = 2 * upwards >= len(known)
    against = len(known) - upwards if up else upwards
    expected = anatomy.dims == 3  # pictures have y downwards
    if up != expected:
        told = f"y grows {_way(up)}, in {'3-D' if anatomy.dims == 3 else 'pictures'} it grows {_way(expected)}"
        yield Finding("y-convention", "*", told)
    if against > limits.MIXED * len(known):
        told = f"y grows {_way(up)} in {len(known) - against} clips and {_way(not up)} in {against}"
        yield Finding("y-mixed", "*", told)
    standing: dict[int, list[bool]] = collections.defaultdict(list)
    for clip in known:
        standing[clip.label].append((clip.up > 0.5) == up)
    for clip in known:
        share = 1 - clip.up if up else clip.up
        usual = np.mean(standing[clip.label]) >= limits.CLASS_WITH_SET
        if share >= limits.FLIPPED and usual:
            yield Finding(
                "y-flipped",
                clip.id,
                f"head below feet in {share:.0%} of its frames, unlike its class",
            )
        elif share >= limits.ON_HEAD:
            yield Finding("upside-down", clip.id, f"head below feet in {share:.0%} of its frames")


def _way(up: bool) -> str:
    return "upwards" if up else "downwards"


def _sides(clips: Sequence[Facts], anatomy: Anatomy) -> Iterator[Finding]:
    """Left and right by what cannot be exchanged with them: the direction of the feet, or the
    face.
    """
    known = [clip for clip in clips if not np.isnan(clip.chirality)]
    if not known:
        return
    right = [clip.chirality >= limits.MIRRORED for clip in known]
    wrong = [clip.chirality <= 1 - limits.MIRRORED for clip in known]
    what = (
        "the eyes and the shoulders"
        if anatomy.dims == 2
        else "the direction of the feet and the hips"
    )
    if sum(wrong) >= limits.MIRROR_AGREES * len(known):
        rule = "sides-exchanged" if anatomy.dims == 2 else "handedness"
        yield Finding(
            rule, "*", f"{what} contradict each other in {sum(wrong)} of {len(known)} clips"
        )
        right, wrong = wrong, right
    if sum(right) < limits.MIRROR_AGREES * len(known):
        return
    for clip, odd in zip(known, wrong, strict=True):
        if odd:
            yield Finding("mirrored", clip.id, f"{what} disagree with the rest of the set")


def _duplicates(clips: Sequence[Facts], protocols: Protocols) -> Iterator[Finding]:
    for name, count in collections.Counter(clip.id for clip in clips).items():
        if count > 1:
            yield Finding("duplicate-id", name, f"{count} clips have it")
    same: dict[bytes, dict[str, Facts]] = collections.defaultdict(
        dict
    )  # digest -> cell -> its first clip
    for clip in (clip for clip in clips if clip.digest):
        earlier = same[clip.digest]
        leaks = [
            (first, name)
            for first in earlier.values()
            for name, halves in protocols.items()
            if _between(first.cell, clip.cell, halves)
        ]
        others = [
            first for first in earlier.values() if first.id != clip.id
        ]  # one id twice is told already
        first = leaks[0][0] if leaks else others[0] if others else clip
        what = f"the joints of {first.id!r}{', under another label' if first.label != clip.label else ''}"
        if leaks:
            where = ", ".join(dict.fromkeys(name for _, name in leaks))
            yield Finding("content-leak", clip.id, f"{what}; one trains and one tests in {where}")
        elif others:
            yield Finding("duplicate-content", clip.id, what)
        earlier.setdefault(clip.cell, clip)


def _between(a: str, b: str, halves: tuple[tuple[str, ...], tuple[str, ...]]) -> bool:
    train, test = halves
    return (a in train and b in test) or (a in test and b in train)
