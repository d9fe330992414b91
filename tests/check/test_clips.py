"""The geometry of the rules on one clip, against slow loops over frames, persons and joints."""

import itertools

import numpy as np
import pytest

from jaxact.check import clips
from jaxact.check import thresholds as limits
from jaxact.check.body import Anatomy, Clip
from jaxact.check.findings import format_frames, frames_of
from jaxact.datasets.preparation.presence import gap_frames, persons_present
from jaxact.skeletons import get_layout

LAYOUT = get_layout("kinect-15")
ANATOMY = Anatomy.of(LAYOUT, ("x", "y", "z"))


def random_clip(seed: int, frames: int = 12, persons: int = 3) -> Clip:
    """People who wander about, change slots and sides and lose joints at random."""
    rng = np.random.default_rng(seed)
    people = rng.normal(size=(persons, 15, 3)) * 0.4 + 2 * rng.normal(size=(persons, 1, 3))
    mirrored = list(LAYOUT.mirrored())
    joints = np.zeros((frames, persons, 15, 3), np.float32)
    for t in range(frames):
        people = people[rng.permutation(persons)] if rng.random() < 0.3 else people
        people = people[:, mirrored] if rng.random() < 0.3 else people
        joints[t] = people + 0.02 * rng.normal(size=people.shape)
        joints[t] *= (rng.random((persons, 15, 1)) > 0.1) & (rng.random((persons, 1, 1)) > 0.15)
        joints[t] *= np.where(rng.random((persons, 15, 1)) < 0.004, 8, 1)
    return Clip.of({"id": "random", "joints": joints}, ANATOMY)


def finding_frames(findings) -> tuple[int, ...]:
    return tuple(frame for finding in findings for frame in finding.frames)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(sum((a - b) ** 2)))


def mean_step(clip: Clip, t: int, start: int, end: int) -> float:
    steps = [
        distance(clip.points[t, start, v], clip.points[t + 1, end, v])
        for v in range(15)
        if clip.present[t, start, v] and clip.present[t + 1, end, v]
    ]
    return sum(steps) / len(steps) if steps else float("nan")


def slow_person_swaps(clip: Clip) -> tuple[int, ...]:
    frames = set()
    for t in range(len(clip.occupied) - 1):
        for a, b in itertools.combinations(range(clip.occupied.shape[1]), 2):
            straight = mean_step(clip, t, a, a) + mean_step(clip, t, b, b)
            crossed = mean_step(clip, t, a, b) + mean_step(clip, t, b, a)
            if straight > limits.SWAP_JUMP * clip.size and crossed < limits.SWAP_RATIO * straight:
                frames.add(t + 1)
            for x, y in ((a, b), (b, a)):
                empties = clip.occupied[t, x] and not clip.occupied[t + 1, x]
                fills = clip.occupied[t + 1, y] and not clip.occupied[t, y]
                if empties and fills and mean_step(clip, t, x, y) < limits.HOP * clip.size:
                    frames.add(t + 1)
    return tuple(sorted(frames))


def slow_side_swaps(clip: Clip) -> tuple[int, ...]:
    frames = set()
    for t in range(len(clip.occupied) - 1):
        for person, pairs in itertools.product(
            range(clip.occupied.shape[1]), ANATOMY.limbs.values()
        ):
            straight, crossed, count, nearer = 0.0, 0.0, 0, 0
            for left, right in pairs:
                if not clip.present[t : t + 2, person][:, [left, right]].all():
                    continue
                (l0, l1), (r0, r1) = (
                    clip.points[t : t + 2, person, side] for side in (left, right)
                )
                stay, cross = (
                    distance(l0, l1) + distance(r0, r1),
                    distance(l0, r1) + distance(r0, l1),
                )
                straight, crossed, count, nearer = (
                    straight + stay,
                    crossed + cross,
                    count + 1,
                    nearer + (cross < stay),
                )
            if (
                nearer >= limits.SIDES_PAIRS
                and straight > 2 * limits.SIDES_JUMP_3D * clip.size * count
                and crossed < limits.SIDES_RATIO * straight
            ):
                frames.add(t + 1)
    return tuple(sorted(frames))


def slow_exploding_bones(clip: Clip) -> tuple[int, ...]:
    frames = set()
    for person, (child, parent) in itertools.product(range(clip.occupied.shape[1]), LAYOUT.edges):
        lengths = {
            t: distance(clip.points[t, person, child], clip.points[t, person, parent])
            for t in range(len(clip.occupied))
            if clip.present[t, person, child] and clip.present[t, person, parent]
        }
        for t, length in lengths.items():
            bone_limit = limits.BONE_FACTOR * float(np.median(list(lengths.values())))
            if length > max(bone_limit, limits.BONE_SIZES_3D * clip.size):
                frames.add(t)
    return tuple(sorted(frames))


RULES = {
    "persons": (clips._person_swaps, slow_person_swaps),
    "sides": (lambda clip: clips._side_swaps(clip, ANATOMY), slow_side_swaps),
    "bones": (lambda clip: clips._exploding_bones(clip, ANATOMY), slow_exploding_bones),
}


@pytest.mark.parametrize("rule", RULES)
def test_what_is_found_is_what_a_slow_loop_finds(rule):
    fast, slow = RULES[rule]
    total = 0
    for seed in range(8):
        clip = random_clip(seed)
        assert finding_frames(fast(clip)) == slow(clip)
        total += len(slow(clip))
    assert total > 5, "the clips must have something to find"


def test_gaps_are_the_false_frames_between_true_ones():
    for bits in itertools.product((False, True), repeat=6):
        wanted = [not bit and any(bits[:t]) and any(bits[t:]) for t, bit in enumerate(bits)]
        assert gap_frames(np.array(bits)).tolist() == wanted


def test_somebody_is_seen_where_a_number_is_not_zero():
    joints = np.zeros((2, 2, 15, 3), np.float32)
    joints[0, 1, 14, 2] = -1
    joints[1, 0, 0, 0] = np.nan
    assert persons_present(joints).tolist() == [[False, True], [True, False]]


def test_the_size_of_a_person_is_the_median_diagonal_of_those_who_are_half_there():
    joints = np.zeros((3, 1, 15, 3), np.float32)
    for t, size in enumerate((1.0, 2.0, 7.0)):
        joints[t, 0, :, 1] = np.linspace(1, 1 + size, 15)
    joints[2, 0, 7:] = 0  # seven of fifteen joints: too few
    assert Clip.of({"id": "a", "joints": joints}, ANATOMY).size == pytest.approx(1.5)


def test_a_joint_without_a_score_is_not_there():
    joints = np.ones((1, 1, 18, 3), np.float32)
    joints[0, 0, 4, 2] = 0
    joints[0, 0, 5, 0] = np.inf
    clip = Clip.of(
        {"id": "a", "joints": joints}, Anatomy.of(get_layout("openpose-18"), ("x", "y", "score"))
    )
    assert (
        np.flatnonzero(~clip.present[0, 0]).tolist() == [4, 5] and not clip.points[0, 0, 4:6].any()
    )


def test_clips_of_one_frame_and_layouts_of_one_joint_are_looked_at_too():
    from jaxact.skeletons import Layout

    dot = Layout(name="dot", joints=("dot",), edges=(), bones=((0, 0),), centre=0)
    anatomy = Anatomy.of(dot, ("x", "y"))
    clip = Clip.of({"id": "a", "joints": np.ones((1, 2, 1, 2), np.float32)}, anatomy)
    assert list(clips.check_clip(clip, anatomy)) == []


def test_frames_are_written_as_a_reader_does():
    assert format_frames([5, 3, 4, 9]) == "frames 3-5, 9" and format_frames([7]) == "frame 7"
    assert format_frames(range(0, 20, 2)) == "frames 0, 2, 4, 6, 8, and 5 more"
    assert frames_of(np.array([True, False, True])) == (0, 2)
