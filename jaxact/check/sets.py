"""Rules that compare the clips of a set: units, axes, sides and duplicates."""

import collections
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from jaxact.check import thresholds as limits
from jaxact.check.body import Anatomy
from jaxact.check.facts import Facts
from jaxact.check.findings import Finding

Halves = tuple[tuple[str, ...], tuple[str, ...]]  # cells of training, cells of test
Protocols = Mapping[str, Halves]


def check_set(
    clips: Sequence[Facts], anatomy: Anatomy, labels: Sequence[str], protocols: Protocols
) -> Iterator[Finding]:
    """Yields all findings of comparing clips, except those on classes and subjects."""
    for clip in clips:
        if not 0 <= clip.label < len(labels):
            yield Finding("label-range", clip.id, f"label {clip.label} of {len(labels)} classes")
    yield from _units(clips, anatomy)
    upright = list(_upright(clips, anatomy))
    yield from upright
    # Flipping y exchanges left and right too: one fault, one finding.
    flipped = {finding.id for finding in upright}
    yield from _sides([clip for clip in clips if clip.id not in flipped], anatomy)
    yield from _duplicates(clips, protocols)


def _units(clips: Sequence[Facts], anatomy: Anatomy) -> Iterator[Finding]:
    measured = [clip for clip in clips if clip.reach > 0]
    if not measured:
        return
    reach = float(np.median([clip.reach for clip in measured]))
    for clip in measured:
        if not reach / limits.REACH_FACTOR <= clip.reach <= reach * limits.REACH_FACTOR:
            detail = f"coordinates reach {clip.reach:.4g} where the set's reach {reach:.4g}"
            yield Finding("scale-mixed", clip.id, detail)
    size = float(np.median([clip.size for clip in measured]))
    low, high = limits.METRES
    if anatomy.dims == 2 and reach > limits.SHARES:
        detail = f"coordinates reach {reach:.4g}: pixels; shares of the frame are 0 to 1"
        yield Finding("units", "*", detail)
    elif anatomy.dims == 3 and size and not low <= size <= high:
        yield Finding("units", "*", f"a person is {size:.4g} large: not metres")


def _upright(clips: Sequence[Facts], anatomy: Anatomy) -> Iterator[Finding]:
    """Checks the direction of y, for the set and for each clip against it."""
    measured = [clip for clip in clips if not np.isnan(clip.up)]
    if not measured:
        return
    upward_clips = sum(clip.up > 0.5 for clip in measured)
    up = 2 * upward_clips >= len(measured)
    opposite = len(measured) - upward_clips if up else upward_clips
    usual = anatomy.dims == 3  # y points down in images
    if up != usual:
        data = "3-D" if anatomy.dims == 3 else "images"
        detail = f"y grows {_direction(up)}, in {data} it grows {_direction(usual)}"
        yield Finding("y-convention", "*", detail)
    if opposite > limits.MIXED * len(measured):
        same = len(measured) - opposite
        detail = f"y grows {_direction(up)} in {same} clips and {_direction(not up)} in {opposite}"
        yield Finding("y-mixed", "*", detail)
    agreement: dict[int, list[bool]] = collections.defaultdict(list)
    for clip in measured:
        agreement[clip.label].append((clip.up > 0.5) == up)
    for clip in measured:
        share = 1 - clip.up if up else clip.up
        class_agrees = np.mean(agreement[clip.label]) >= limits.CLASS_WITH_SET
        detail = f"head below feet in {share:.0%} of its frames"
        if share >= limits.FLIPPED and class_agrees:
            yield Finding("y-flipped", clip.id, f"{detail}, unlike its class")
        elif share >= limits.ON_HEAD:
            yield Finding("upside-down", clip.id, detail)


def _direction(up: bool) -> str:
    return "upwards" if up else "downwards"


def _sides(clips: Sequence[Facts], anatomy: Anatomy) -> Iterator[Finding]:
    """Checks left and right against the direction of the feet in 3-D, and the face in 2-D."""
    measured = [clip for clip in clips if not np.isnan(clip.chirality)]
    if not measured:
        return
    right = [clip.chirality >= limits.MIRRORED for clip in measured]
    wrong = [clip.chirality <= 1 - limits.MIRRORED for clip in measured]
    rule, parts = "handedness", "the direction of the feet and the hips"
    if anatomy.dims == 2:
        rule, parts = "sides-exchanged", "the eyes and the shoulders"
    if sum(wrong) >= limits.MIRROR_AGREES * len(measured):
        detail = f"{parts} contradict each other in {sum(wrong)} of {len(measured)} clips"
        yield Finding(rule, "*", detail)
        right, wrong = wrong, right
    if sum(right) < limits.MIRROR_AGREES * len(measured):
        return
    for clip, is_wrong in zip(measured, wrong, strict=True):
        if is_wrong:
            yield Finding("mirrored", clip.id, f"{parts} disagree with the rest of the set")


def _duplicates(clips: Sequence[Facts], protocols: Protocols) -> Iterator[Finding]:
    for name, count in collections.Counter(clip.id for clip in clips).items():
        if count > 1:
            yield Finding("duplicate-id", name, f"{count} clips have it")
    # digest -> cell -> the first clip in it
    first_clips: dict[bytes, dict[str, Facts]] = collections.defaultdict(dict)
    for clip in clips:
        if not clip.digest:
            continue
        earlier = first_clips[clip.digest]
        leak, protocol_names = _find_leak(clip, earlier, protocols)
        # Two clips with one id are a "duplicate-id".
        others = [other for other in earlier.values() if other.id != clip.id]
        if leak is not None:
            detail = f"{_same_joints(leak, clip)}; one trains and one tests in {protocol_names}"
            yield Finding("content-leak", clip.id, detail)
        elif others:
            yield Finding("duplicate-content", clip.id, _same_joints(others[0], clip))
        earlier.setdefault(clip.cell, clip)


def _same_joints(other: Facts, clip: Facts) -> str:
    text = f"the joints of {other.id!r}"
    return text if other.label == clip.label else f"{text}, under another label"


def _find_leak(
    clip: Facts, earlier: Mapping[str, Facts], protocols: Protocols
) -> tuple[Facts | None, str]:
    """Returns the first clip of the same joints in the opposite half of a protocol.

    Args:
        clip: the clip.
        earlier: cell -> an earlier clip with the same joints.
        protocols: name -> its halves.

    Returns:
        The clip, or None; and the names of all protocols in which the joints leak.
    """
    first, names = None, []
    for other in earlier.values():
        for name, (train, test) in protocols.items():
            to_test = other.cell in train and clip.cell in test
            to_train = other.cell in test and clip.cell in train
            if to_test or to_train:
                first = first or other
                names.append(name)
    return first, ", ".join(dict.fromkeys(names))
