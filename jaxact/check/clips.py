"""Rules that need one clip alone."""

import itertools
from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float

from jaxact.check import thresholds as limits
from jaxact.check.body import Anatomy, Clip
from jaxact.check.findings import Finding, frames_of, spans
from jaxact.datasets.preparation.presence import gap_frames


def of_clip(clip: Clip, anatomy: Anatomy) -> Iterator[Finding]:
    """Everything found in one clip."""
    yield from _not_finite(clip)
    if not clip.seen.any():
        yield Finding("empty", clip.id, f"{len(clip.seen)} frames without a joint")
        return
    yield from _gaps(clip)
    yield from _frozen(clip)
    if clip.size:
        yield from _person_swaps(clip)
        yield from _side_swaps(clip, anatomy)
        yield from _exploding_bones(clip, anatomy)


def _not_finite(clip: Clip) -> Iterator[Finding]:
    lost = ~np.isfinite(clip.joints)
    if lost.any():
        frames = frames_of(np.any(lost, axis=(1, 2, 3)))
        yield Finding("not-finite", clip.id, f"{lost.sum()} numbers in {spans(frames)}", frames)


def _gaps(clip: Clip) -> Iterator[Finding]:
    anybody = np.any(clip.seen, axis=1)
    nobody = gap_frames(anybody)
    if nobody.any():
        frames = frames_of(nobody)
        yield Finding("gap", clip.id, f"nobody in {spans(frames)} of {len(clip.seen)}", frames)
    for slot in range(clip.seen.shape[1]):
        alone = gap_frames(clip.seen[:, slot]) & anybody
        if alone.any():
            frames = frames_of(alone)
            yield Finding("person-gap", clip.id, f"slot {slot} is empty in {spans(frames)}", frames)


def _frozen(clip: Clip) -> Iterator[Finding]:
    same = (clip.joints[1:] == clip.joints[:-1]).all((1, 2, 3)) & clip.seen[1:].any(1)
    frames: list[int] = []
    start = 0
    for value, run in itertools.groupby(same.tolist()):
        length = len(list(run))
        if value and length + 1 >= limits.FROZEN_FRAMES:
            frames += range(start, start + length + 1)
        start += length
    if frames:
        yield Finding(
            "frozen", clip.id, f"{spans(frames)} of {len(clip.seen)} are repeated", tuple(frames)
        )


def _person_swaps(clip: Clip) -> Iterator[Finding]:
    """Two slots exchange their persons, or a person moves on to an empty slot."""
    frames: set[int] = set()
    for a, b in itertools.combinations(range(clip.seen.shape[1]), 2):
        first, second = (_steps(clip, slots) for slots in ((a, b), (b, a)))
        straight, crossed = _steps(clip, (a, a)) + _steps(clip, (b, b)), first + second
        with np.errstate(invalid="ignore"):
            swapped = (straight > limits.SWAP_JUMP * clip.size) & (
                crossed < limits.SWAP_RATIO * straight
            )
            seen, then = clip.seen[:-1], clip.seen[1:]
            for x, y, step in ((a, b, first), (b, a, second)):
                hopped = seen[:, x] & ~then[:, x] & ~seen[:, y] & then[:, y]
                swapped |= hopped & (step < limits.HOP * clip.size)
        frames |= {frame + 1 for frame in frames_of(swapped)}
    if frames:
        yield Finding("person-swap", clip.id, f"at {spans(frames)}", tuple(sorted(frames)))


def _steps(clip: Clip, slots: tuple[int, int]) -> Float[np.ndarray, " s"]:
    """Mean distance from the joints of one slot to those of another in the next frame; NaN where
    none is in both.
    """
    start, end = slots
    both = clip.present[:-1, start] & clip.present[1:, end]
    moved = np.linalg.norm(clip.places[1:, end] - clip.places[:-1, start], axis=-1) * both
    count = both.sum(1)
    return np.where(count > 0, moved.sum(1) / np.maximum(count, 1), np.nan)


def _side_swaps(clip: Clip, anatomy: Anatomy) -> Iterator[Finding]:
    events: dict[str, set[int]] = {}
    for limb, pairs in anatomy.limbs.items():
        if len(pairs) >= limits.SIDES_PAIRS:
            jump = limits.SIDES_JUMP_3D if anatomy.dims == 3 else limits.SIDES_JUMP_2D
            exchanged = _exchanged(
                clip, [left for left, _ in pairs], [right for _, right in pairs], jump
            )
            events[limb] = {frame + 1 for frame in frames_of(np.any(exchanged, axis=1))}
    frames = set().union(*events.values())
    if frames:
        which = " and ".join(limb for limb in events if events[limb])
        yield Finding(
            "left-right-swap", clip.id, f"{which} at {spans(frames)}", tuple(sorted(frames))
        )


def _exchanged(
    clip: Clip, left: list[int], right: list[int], jump: float
) -> Bool[np.ndarray, "s m"]:
    """Whether the limb pair's joints exchange sides on the way to the next frame, a `jump` (in
    sizes) for each.
    """

    def moved(start: list[int], end: list[int]) -> np.ndarray:
        return np.linalg.norm(clip.places[1:, :, end] - clip.places[:-1, :, start], axis=-1)

    there = clip.present[..., left] & clip.present[..., right]
    there = there[1:] & there[:-1]
    straight = (moved(left, left) + moved(right, right)) * there
    crossed = (moved(left, right) + moved(right, left)) * there
    count = there.sum(-1)
    clear = straight.sum(-1) > 2 * jump * clip.size * np.maximum(count, 1)
    most = ((crossed < straight) & there).sum(-1) >= limits.SIDES_PAIRS
    return most & clear & (crossed.sum(-1) < limits.SIDES_RATIO * straight.sum(-1))


def _exploding_bones(clip: Clip, anatomy: Anatomy) -> Iterator[Finding]:
    child, parent = np.array(anatomy.layout.edges).reshape(-1, 2).T
    there = clip.present[..., child] & clip.present[..., parent]
    length = np.linalg.norm(clip.places[..., child, :] - clip.places[..., parent, :], axis=-1)
    limit = np.full(length.shape[1:], limits.BONE_SIZES_2D * clip.size)
    if anatomy.dims == 3:
        known = np.where(there, length, np.nan)
        known[:, ~there.any(0)] = 0.0
        own = limits.BONE_FACTOR * np.nanmedian(known, axis=0)
        limit = np.maximum(own, limits.BONE_SIZES_3D * clip.size)
    broken = there & (length > limit)
    if broken.any():
        frames = frames_of(broken.any((1, 2)))
        _, person, bone = np.unravel_index(np.argmax(np.where(broken, length, 0)), length.shape)
        names = "-".join(anatomy.layout.joints[joint] for joint in anatomy.layout.edges[bone])
        times = (length * broken).max() / clip.size
        detail = f"{names} of slot {person} is {times:.1f} times the person's size; {spans(frames)}"
        yield Finding("exploding-bones", clip.id, detail, frames)
