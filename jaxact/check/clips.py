"""Rules on a single clip."""

import itertools
from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float

from jaxact.check import thresholds as limits
from jaxact.check.body import Anatomy, Clip
from jaxact.check.findings import Finding, format_frames, frames_of
from jaxact.datasets.preparation.presence import gap_frames


def check_clip(clip: Clip, anatomy: Anatomy) -> Iterator[Finding]:
    """Yields all findings of one clip."""
    yield from _not_finite(clip)
    if not clip.occupied.any():
        yield Finding("empty", clip.id, f"{len(clip.occupied)} frames without a joint")
        return
    yield from _gaps(clip)
    yield from _frozen(clip)
    if clip.size:
        yield from _person_swaps(clip)
        yield from _side_swaps(clip, anatomy)
        yield from _exploding_bones(clip, anatomy)


def _not_finite(clip: Clip) -> Iterator[Finding]:
    invalid = ~np.isfinite(clip.joints)
    if invalid.any():
        frames = frames_of(np.any(invalid, axis=(1, 2, 3)))
        detail = f"{invalid.sum()} numbers in {format_frames(frames)}"
        yield Finding("not-finite", clip.id, detail, frames)


def _gaps(clip: Clip) -> Iterator[Finding]:
    count, slots = clip.occupied.shape
    any_person = np.any(clip.occupied, axis=1)
    empty = gap_frames(any_person)
    if empty.any():
        frames = frames_of(empty)
        detail = f"no person in {format_frames(frames)} of {count}"
        yield Finding("gap", clip.id, detail, frames)
    for slot in range(slots):
        person_gap = gap_frames(clip.occupied[:, slot]) & any_person
        if person_gap.any():
            frames = frames_of(person_gap)
            detail = f"slot {slot} is empty in {format_frames(frames)}"
            yield Finding("person-gap", clip.id, detail, frames)


def _frozen(clip: Clip) -> Iterator[Finding]:
    repeated = (clip.joints[1:] == clip.joints[:-1]).all((1, 2, 3)) & clip.occupied[1:].any(1)
    frames: list[int] = []
    start = 0
    for is_repeated, run in itertools.groupby(repeated.tolist()):
        length = len(list(run))
        if is_repeated and length + 1 >= limits.FROZEN_FRAMES:
            frames += range(start, start + length + 1)
        start += length
    if frames:
        detail = f"{format_frames(frames)} of {len(clip.occupied)} are repeated"
        yield Finding("frozen", clip.id, detail, tuple(frames))


def _person_swaps(clip: Clip) -> Iterator[Finding]:
    """Finds persons who exchange their slots, or who move to an empty slot."""
    frames: set[int] = set()
    for a, b in itertools.combinations(range(clip.occupied.shape[1]), 2):
        a_to_b, b_to_a = _step_lengths(clip, a, b), _step_lengths(clip, b, a)
        straight = _step_lengths(clip, a, a) + _step_lengths(clip, b, b)
        crossed = a_to_b + b_to_a
        with np.errstate(invalid="ignore"):
            jumps = straight > limits.SWAP_JUMP * clip.size
            swapped = jumps & (crossed < limits.SWAP_RATIO * straight)
            for start, end, step in ((a, b, a_to_b), (b, a, b_to_a)):
                hops = _moves_to_slot(clip, start, end)
                swapped |= hops & (step < limits.HOP * clip.size)
        frames |= {frame + 1 for frame in frames_of(swapped)}
    if frames:
        detail = f"at {format_frames(frames)}"
        yield Finding("person-swap", clip.id, detail, tuple(sorted(frames)))


def _step_lengths(clip: Clip, start: int, end: int) -> Float[np.ndarray, " s"]:
    """Mean distance of the joints from slot `start` to slot `end` in the next frame.

    NaN where no joint is present in both.
    """
    both = clip.present[:-1, start] & clip.present[1:, end]
    moved = np.linalg.norm(clip.points[1:, end] - clip.points[:-1, start], axis=-1) * both
    count = both.sum(1)
    return np.where(count > 0, moved.sum(1) / np.maximum(count, 1), np.nan)


def _moves_to_slot(clip: Clip, start: int, end: int) -> Bool[np.ndarray, " s"]:
    """Whether slot `start` empties and slot `end` fills in the next frame."""
    before, after = clip.occupied[:-1], clip.occupied[1:]
    empties = before[:, start] & ~after[:, start]
    fills = ~before[:, end] & after[:, end]
    return empties & fills


def _side_swaps(clip: Clip, anatomy: Anatomy) -> Iterator[Finding]:
    jump = limits.SIDES_JUMP_3D if anatomy.dims == 3 else limits.SIDES_JUMP_2D
    frames: set[int] = set()
    swapped_limbs = []
    for limb, pairs in anatomy.limbs.items():
        if len(pairs) < limits.SIDES_PAIRS:
            continue
        left, right = [left for left, _ in pairs], [right for _, right in pairs]
        exchanged = frames_of(np.any(_exchanged(clip, left, right, jump), axis=1))
        if exchanged:
            swapped_limbs.append(limb)
            frames |= {frame + 1 for frame in exchanged}
    if frames:
        detail = f"{' and '.join(swapped_limbs)} at {format_frames(frames)}"
        yield Finding("left-right-swap", clip.id, detail, tuple(sorted(frames)))


def _exchanged(
    clip: Clip, left: list[int], right: list[int], jump: float
) -> Bool[np.ndarray, "s m"]:
    """Whether the joints of a limb pair exchange sides from one frame to the next.

    Args:
        clip: the clip.
        left, right: joints of either limb, in one order.
        jump: least mean distance, in sizes, that each joint would move without an exchange.
    """

    def distances(start: list[int], end: list[int]) -> np.ndarray:
        return np.linalg.norm(clip.points[1:, :, end] - clip.points[:-1, :, start], axis=-1)

    present = clip.present[..., left] & clip.present[..., right]
    present = present[1:] & present[:-1]
    straight = (distances(left, left) + distances(right, right)) * present
    crossed = (distances(left, right) + distances(right, left)) * present
    count = present.sum(-1)
    jumps = straight.sum(-1) > 2 * jump * clip.size * np.maximum(count, 1)
    enough_pairs = ((crossed < straight) & present).sum(-1) >= limits.SIDES_PAIRS
    nearer_crossed = crossed.sum(-1) < limits.SIDES_RATIO * straight.sum(-1)
    return enough_pairs & jumps & nearer_crossed


def _exploding_bones(clip: Clip, anatomy: Anatomy) -> Iterator[Finding]:
    child, parent = np.array(anatomy.layout.edges).reshape(-1, 2).T
    present = clip.present[..., child] & clip.present[..., parent]
    length = np.linalg.norm(clip.points[..., child, :] - clip.points[..., parent, :], axis=-1)
    limit = np.full(length.shape[1:], limits.BONE_SIZES_2D * clip.size)
    if anatomy.dims == 3:
        measured = np.where(present, length, np.nan)
        measured[:, ~present.any(0)] = 0.0
        median_limit = limits.BONE_FACTOR * np.nanmedian(measured, axis=0)
        limit = np.maximum(median_limit, limits.BONE_SIZES_3D * clip.size)
    too_long = present & (length > limit)
    if too_long.any():
        frames = frames_of(too_long.any((1, 2)))
        longest = np.argmax(np.where(too_long, length, 0))
        _, slot, bone = np.unravel_index(longest, length.shape)
        names = "-".join(anatomy.layout.joints[joint] for joint in anatomy.layout.edges[bone])
        ratio = (length * too_long).max() / clip.size
        detail = (
            f"{names} of slot {slot} is {ratio:.1f} times the person's size; "
            f"{format_frames(frames)}"
        )
        yield Finding("exploding-bones", clip.id, detail, frames)
