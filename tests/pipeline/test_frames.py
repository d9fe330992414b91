"""Windows, padding and resampling in time."""

import numpy as np
import pytest
import tensorflow as tf

from jaxact.pipeline import frames as fr


def clip(frames=6, seed=0, missing=0.0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.1, 1.0, (frames, 2, 5, 3)).astype(np.float32)
    present = rng.uniform(size=x.shape[:3]) >= missing
    return x * present[..., None], present


def run(function, x, present, **options):
    joints, there = function(tf.constant(x), tf.constant(present), **options)
    return joints.numpy(), there.numpy()


@pytest.mark.parametrize("start", [-4, -1, 0, 2, 5])
@pytest.mark.parametrize("frames", [1, 4, 6, 11])
@pytest.mark.parametrize("pad", ["zero", "replay"])
def test_a_window_is_the_clip_and_its_padding(pad, frames, start):
    x, present = clip(missing=0.3)
    joints, there = run(fr.window, x, present, frames=frames, pad=pad, start=start)
    for t in range(frames):
        source = start + t
        if pad == "replay":
            source %= len(x)
        inside = 0 <= source < len(x)
        np.testing.assert_array_equal(joints[t], x[source] if inside else 0.0)
        np.testing.assert_array_equal(there[t], present[source] if inside else False)
    assert len(joints) == len(there) == frames


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
        int(fr.random_start(tf.constant(length), seed=tf.constant([1, i], tf.int64), **options)) for i in range(60)
    ]
    assert set(drawn) == set(starts)


def resized(x, present, places):
    """A slow loop over joints."""
    out, there = np.zeros((len(places), *x.shape[1:])), np.zeros((len(places), *x.shape[1:3]), bool)
    for t, place in enumerate(places):
        a, b = int(np.floor(place)), int(np.ceil(place))
        for m, v in np.ndindex(x.shape[1:3]):
            here, next_ = present[a, m, v], present[b, m, v]
            there[t, m, v] = here or next_
            if here and next_:
                out[t, m, v] = x[a, m, v] + (place - a) * (x[b, m, v] - x[a, m, v])
            elif here or next_:
                out[t, m, v] = x[a if here else b, m, v]
    return out, there


@pytest.mark.parametrize("frames", [3, 7, 16])
@pytest.mark.parametrize(("start", "share"), [(0.0, 1.0), (0.2, 0.5), (0.37, 0.61)])
def test_resizing_interpolates_between_present_joints_only(frames, start, share):
    x, present = clip(frames=9, seed=1, missing=0.3)
    joints, there = run(fr.resize, x, present, frames=frames, start=start, share=share)
    wanted, wanted_there = resized(x, present, 8 * (start + share * np.linspace(0, 1, frames)))
    np.testing.assert_array_equal(there, wanted_there)
    np.testing.assert_allclose(joints, wanted, atol=2e-6)


@pytest.mark.parametrize("frames", [2, 41, 150, 300])
def test_resizing_to_its_own_length_changes_nothing(frames):
    x, present = clip(frames=frames, missing=0.4)
    present[0], present[-1] = True, True
    x[0], x[-1] = 0.5, 0.25
    joints, there = run(fr.resize, x, present, frames=frames)
    np.testing.assert_array_equal(joints, x)
    np.testing.assert_array_equal(there, present)


def test_resizing_leaves_out_empty_frames_at_both_ends():
    x, present = clip(frames=5)
    around = [(3, 4), (0, 0), (0, 0)]
    padded = run(fr.resize, np.pad(x, [*around, (0, 0)]), np.pad(present, around), frames=12)
    plain = run(fr.resize, x, present, frames=12)
    np.testing.assert_allclose(padded[0], plain[0], atol=1e-6)
    assert padded[1].all()


def test_clips_of_one_frame_and_without_anyone_can_be_resized():
    x, present = clip(frames=1)
    np.testing.assert_allclose(run(fr.resize, x, present, frames=3)[0], np.repeat(x, 3, axis=0))
    joints, there = run(fr.resize, x * 0, present & False, frames=3)
    assert not joints.any()
    assert not there.any()


def test_random_shares_lie_inside_the_clip():
    draws = np.array([fr.random_share(0.4, tf.constant([0, i], tf.int64)) for i in range(200)])
    start, share = draws.T
    assert share.min() >= 0.4
    assert share.max() <= 1.0
    assert share.max() - share.min() > 0.5
    assert start.min() >= 0.0
    assert (start + share).max() <= 1.0 + 1e-6
