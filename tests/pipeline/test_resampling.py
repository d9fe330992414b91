"""Windows, padding and resampling in time."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from jaxact.pipeline import resampling


def clip(frames=6, seed=0, missing=0.0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.1, 1.0, (frames, 2, 5, 3)).astype(np.float32)
    present = rng.uniform(size=x.shape[:3]) >= missing
    return x * present[..., None], present


def run(function, x, present, **options):
    joints, presence = function(tf.constant(x), tf.constant(present), **options)
    return joints.numpy(), presence.numpy()


@pytest.mark.parametrize("start", [-4, -1, 0, 2, 5])
@pytest.mark.parametrize("frames", [1, 4, 6, 11])
@pytest.mark.parametrize("pad", ["zero", "replay"])
def test_a_window_is_the_clip_and_its_padding(pad, frames, start):
    x, present = clip(missing=0.3)
    joints, presence = run(resampling.window, x, present, frames=frames, pad=pad, start=start)
    for t in range(frames):
        source = start + t
        if pad == "replay":
            source %= len(x)
        inside = 0 <= source < len(x)
        np.testing.assert_array_equal(joints[t], x[source] if inside else 0.0)
        np.testing.assert_array_equal(presence[t], present[source] if inside else False)
    assert len(joints) == len(presence) == frames


@pytest.mark.parametrize(
    ("length", "padded", "starts"),
    [
        (9, False, range(0, 6)),  # a crop of a longer clip
        (4, False, range(0, 1)),
        (2, False, range(-2, 1)),  # a place among zeros for a shorter one
        (2, True, range(0, 3)),  # a window of the clip padded to 6 frames
        (9, True, range(0, 6)),
    ],
)
def test_random_windows_reach_every_place_and_no_other(length, padded, starts):
    options = {"window": 4, "frames": 6, "padded": padded}
    drawn = [
        int(
            resampling.random_start(
                tf.constant(length), seed=tf.constant([1, i], tf.int64), **options
            )
        )
        for i in range(60)
    ]
    assert set(drawn) == set(starts)


def resized(x, present, positions):
    """A slow loop over joints."""
    out, presence = (
        np.zeros((len(positions), *x.shape[1:])),
        np.zeros((len(positions), *x.shape[1:3]), bool),
    )
    for t, position in enumerate(positions):
        a, b = int(np.floor(position)), int(np.ceil(position))
        for m, v in np.ndindex(x.shape[1:3]):
            here, next_ = present[a, m, v], present[b, m, v]
            presence[t, m, v] = here or next_
            if here and next_:
                out[t, m, v] = x[a, m, v] + (position - a) * (x[b, m, v] - x[a, m, v])
            elif here or next_:
                out[t, m, v] = x[a if here else b, m, v]
    return out, presence


@pytest.mark.parametrize("frames", [3, 7, 16])
@pytest.mark.parametrize(("start", "share"), [(0.0, 1.0), (0.2, 0.5), (0.37, 0.61)])
def test_resizing_interpolates_between_present_joints_only(frames, start, share):
    x, present = clip(frames=9, seed=1, missing=0.3)
    joints, presence = run(resampling.resize, x, present, frames=frames, start=start, share=share)
    expected, expected_presence = resized(
        x, present, 8 * (start + share * np.linspace(0, 1, frames))
    )
    np.testing.assert_array_equal(presence, expected_presence)
    np.testing.assert_allclose(joints, expected, atol=2e-6)


@pytest.mark.parametrize("frames", [2, 41, 150, 300])
def test_resizing_to_its_own_length_changes_nothing(frames):
    x, present = clip(frames=frames, missing=0.4)
    present[0], present[-1] = True, True
    x[0], x[-1] = 0.5, 0.25
    joints, presence = run(resampling.resize, x, present, frames=frames)
    np.testing.assert_array_equal(joints, x)
    np.testing.assert_array_equal(presence, present)


def test_resizing_leaves_out_empty_frames_at_both_ends():
    x, present = clip(frames=5)
    around = [(3, 4), (0, 0), (0, 0)]
    padded = run(
        resampling.resize, np.pad(x, [*around, (0, 0)]), np.pad(present, around), frames=12
    )
    plain = run(resampling.resize, x, present, frames=12)
    np.testing.assert_allclose(padded[0], plain[0], atol=1e-6)
    assert padded[1].all()


def test_clips_of_one_frame_and_without_anyone_can_be_resized():
    x, present = clip(frames=1)
    np.testing.assert_allclose(
        run(resampling.resize, x, present, frames=3)[0], np.repeat(x, 3, axis=0)
    )
    joints, presence = run(resampling.resize, x * 0, present & False, frames=3)
    assert not joints.any()
    assert not presence.any()


def test_random_shares_lie_inside_the_clip():
    draws = np.array(
        [resampling.random_share(0.4, tf.constant([0, i], tf.int64)) for i in range(200)]
    )
    start, share = draws.T
    assert share.min() >= 0.4
    assert share.max() <= 1.0
    assert share.max() - share.min() > 0.5
    assert start.min() >= 0.0
    assert (start + share).max() <= 1.0 + 1e-6


@pytest.mark.parametrize("length", [1, 3, 8, 21, 300])
@pytest.mark.parametrize("position", [0.0, 0.5, 0.999])
def test_a_frame_of_each_segment_is_taken_at_its_place(length, position):
    x, present = clip(frames=length)
    joints, presence = run(resampling.segments, x, present, frames=8, offset=position)
    for i in range(8):
        np.testing.assert_array_equal(joints[i], x[int((i + position) / 8 * length)])
    assert presence.all() and joints.shape == (8, *x.shape[1:])


def test_segments_leave_out_empty_frames_at_both_ends():
    x, present = clip(frames=20)
    around = [(3, 40), (0, 0), (0, 0)]
    padded = run(
        resampling.segments, np.pad(x, [*around, (0, 0)]), np.pad(present, around), frames=8
    )
    np.testing.assert_array_equal(padded[0], run(resampling.segments, x, present, frames=8)[0])
    assert padded[1].all()


def test_random_places_reach_every_frame_of_their_own_segment_and_no_other():
    x, present = clip(frames=24)
    starts_drawn = [set() for _ in range(8)]
    for position in range(60):
        offset = resampling.random_offsets(8, tf.constant([0, position], tf.int64))
        joints, _ = run(resampling.segments, x, present, frames=8, offset=offset)
        for i, frame in enumerate(joints):
            starts_drawn[i].add(int(np.flatnonzero((x == frame).all(axis=(1, 2, 3)))[0]))
    assert starts_drawn == [{3 * i, 3 * i + 1, 3 * i + 2} for i in range(8)]
    tf.debugging.assert_less(resampling.random_offsets(10_000, tf.constant([0, 0], tf.int64)), 1.0)


def drawn(function, count, **options):
    """What a random function gives for `count` seeds, traced once."""
    run = tf.function(lambda seed: function(seed=seed, **options))
    return [
        tf.nest.map_structure(lambda x: x.numpy().tolist(), run(tf.constant([3, i], tf.int64)))
        for i in range(count)
    ]


@pytest.mark.parametrize("frames", [3, 5, 16])
@pytest.mark.parametrize(("start", "length"), [(0, 9), (2, 5), (8, 1)])
def test_a_crop_is_resized_about_the_centres_of_its_frames(frames, start, length):
    x, present = clip(frames=9, seed=2, missing=0.3)
    crop = {"start": tf.constant(start), "length": tf.constant(length)}
    joints, presence = run(resampling.crop_resize, x, present, frames=frames, **crop)
    positions = np.clip((np.arange(frames) + 0.5) * length / frames - 0.5, 0, length - 1)
    positions = np.where(
        np.abs(positions - np.round(positions)) < 1e-3, np.round(positions), positions
    )
    expected, expected_presence = resized(
        x[start : start + length], present[start : start + length], positions
    )
    np.testing.assert_array_equal(presence, expected_presence)
    np.testing.assert_allclose(joints, expected, atol=2e-6)


def test_six_frames_become_four_and_three_as_a_picture_would():
    x = np.arange(6, dtype=np.float32)[:, None, None, None] + 1
    crop = {"start": tf.constant(0), "length": tf.constant(6)}
    np.testing.assert_allclose(
        run(resampling.crop_resize, x, x[..., 0] > 0, frames=4, **crop)[0].ravel(),
        [1.25, 2.75, 4.25, 5.75],
    )
    np.testing.assert_allclose(
        run(resampling.crop_resize, x, x[..., 0] > 0, frames=3, **crop)[0].ravel(), [1.5, 3.5, 5.5]
    )


@pytest.mark.parametrize(
    ("length", "share", "expected"),
    [
        (100, 0.95, (2, 96)),
        (40, 0.95, (1, 38)),
        (39, 0.95, (0, 39)),
        (7, 0.5, (1, 5)),
        (1, 0.1, (0, 1)),
    ],
)
def test_the_middle_leaves_out_as_many_frames_at_either_end(length, share, expected):
    assert (
        tuple(int(x) for x in resampling.centre_crop(tf.constant(length), share=share)) == expected
    )


@pytest.mark.parametrize(
    ("length", "lengths"), [(10, range(5, 11)), (6, range(4, 7)), (3, range(3, 4))]
)
def test_random_crops_reach_every_length_and_every_place(length, lengths):
    draws = drawn(
        resampling.random_crop, 400, clip_length=tf.constant(length), crop=0.5, min_frames=4
    )
    reachable = {
        (start, selected) for selected in lengths for start in range(length - selected + 1)
    }
    # All of the clip is drawn only where the share is 1, which is never, or the clip is too short
    # for less.
    reachable -= {(0, length)} if length > 4 else set()
    assert set(map(tuple, draws)) == reachable


def test_uniform_sampling_takes_one_frame_of_each_part_of_a_long_clip():
    draws = np.array(drawn(resampling.uniform, 200, length=tf.constant(11), frames=4))
    edges = (0, 2, 5, 8, 11)  # floor(i 11 / 4)
    for part, (low, high) in enumerate(itertools.pairwise(edges)):
        counts = np.bincount(draws[:, part], minlength=high)
        assert counts[:low].sum() == 0 and len(counts) == high
        assert (counts[low:high] > 200 / (high - low) / 2).all()


def test_uniform_sampling_leaves_out_frames_of_a_clip_of_less_than_twice_the_frames():
    draws = set(map(tuple, drawn(resampling.uniform, 400, length=tf.constant(6), frames=4)))
    gaps = [
        (a, b) for a in range(5) for b in range(a + 1, 5)
    ]  # before, between and behind four frames
    assert draws == {tuple(i + (a <= i) + (b <= i) for i in range(4)) for a, b in gaps}
    assert set(map(tuple, drawn(resampling.uniform, 20, length=tf.constant(4), frames=4))) == {
        (0, 1, 2, 3)
    }


def test_uniform_sampling_plays_a_short_clip_again_from_any_frame_or_a_given_one():
    draws = set(map(tuple, drawn(resampling.uniform, 60, length=tf.constant(3), frames=5)))
    assert draws == {(0, 1, 2, 0, 1), (1, 2, 0, 1, 2), (2, 0, 1, 2, 0)}
    from_start = drawn(resampling.uniform, 3, length=tf.constant(3), frames=5, start=tf.constant(4))
    assert set(map(tuple, from_start)) == {(1, 2, 0, 1, 2)}


@pytest.mark.parametrize("view", [0, 3])
@pytest.mark.parametrize("length", [1, 5, 8, 13, 16, 61])
def test_uniform_sampling_in_numpy_takes_the_frames_that_tensorflow_draws(length, view):
    options = {"frames": 8, "start": np.int32(view)}
    numpy_index = resampling.uniform(np.int32(length), seed=np.array([255, view]), **options)
    tensorflow_index = resampling.uniform(
        tf.constant(length), seed=tf.constant([255, view], tf.int64), **options
    )
    assert isinstance(numpy_index, np.ndarray) and numpy_index.dtype == np.int32
    np.testing.assert_array_equal(numpy_index, tensorflow_index.numpy())
