"""Every protocol on a record small enough to work out by hand, or by a slow loop that follows the
published formulas.

Sizes are cut down where the rule allows it (frames, window, fewest frames); every other value is
the protocol's.
"""

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from jaxact import config
from jaxact.config import protocols
from jaxact.datasets import dataset_info
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.datasets.preparation.prepare import prepare
from jaxact.pipeline import augment, batches, resampling, seeds, skeleton
from jaxact.skeletons import get_layout

NTU, OPENPOSE = get_layout("ntu-25"), get_layout("openpose-18")
SPINE_BASE, SPINE_MID, LEFT, RIGHT = 0, 1, 4, 8


def sections(protocol, **changes):
    """The clip and augment options of a protocol as keyword arguments, some of them changed."""
    run = config.TrainConfig()
    protocols.follow(run, protocol)
    return dataclasses.asdict(run.clip) | dataclasses.asdict(run.augment) | changes


def layout_of(joints):
    """The layout and channels that a record of these joints has."""
    known = {25: (NTU, ("x", "y", "z")), 18: (OPENPOSE, ("x", "y", "score"))}[joints.shape[2]]
    return {"layout": known[0], "channels": known[1]}


def record(joints, ids=None):
    example = {
        "id": tf.constant("a"),
        "joints": tf.constant(joints, tf.float32),
        "label": tf.constant(0, tf.int64),
    }
    return example | ({} if ids is None else {"person_id": tf.constant(ids, tf.int64)})


def evaluate(protocol, joints, ids=None, **changes):
    """[views, t, m, v, c]"""
    inputs = skeleton.evaluate(
        record(joints, ids), **layout_of(joints), **sections(protocol, **changes)
    )["inputs"]
    return inputs.numpy()


def train(protocol, joints, ids=None, position=0, **changes):
    seed = tf.constant([0, position], tf.int64)
    inputs = skeleton.train(
        record(joints, ids), seed, **layout_of(joints), **sections(protocol, **changes)
    )["inputs"]
    return inputs.numpy()


def bodies(*paths, lift=0.0):
    """NTU bodies [t, n, 25, 3] whose joint v lies at the path's place plus (v, v v, 1), zero where
    it is None.
    """
    out = np.zeros((len(paths[0]), len(paths), 25, 3))
    for n, path in enumerate(paths):
        for t, where in enumerate(path):
            if where is not None:
                out[t, n] = [[where + v / 8, v * v / 64 + lift, 1 + v / 16] for v in range(25)]
    return out


def people(scores):
    """OpenPose detections [t, n, 18, 3] at shares of the picture, with the summed scores
    `scores[t][n]`.
    """
    scores = np.array(scores, np.float64)
    out = np.zeros((*scores.shape, 18, 3))
    for t, n in np.ndindex(scores.shape):
        if scores[t, n]:
            out[t, n] = [
                [0.1 * n + 0.02 * v, 0.9 - 0.01 * t - 0.03 * v, scores[t, n] / 18]
                for v in range(18)
            ]
    return out


def turn(source, target):
    """The rotation about the common normal that takes one direction to another."""
    axis, angle = (
        np.cross(source, target),
        np.arccos(source @ target / np.linalg.norm(source) / np.linalg.norm(target)),
    )
    x, y, z = axis / np.linalg.norm(axis)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + math.sin(angle) * k + (1 - math.cos(angle)) * k @ k


def upright(clip):
    """[m, t, v, 3] turned so that SpineBase to SpineMid is z, then right to left shoulder x, of
    person 0's frame 0.
    """
    first = turn(clip[0, 0, SPINE_MID] - clip[0, 0, SPINE_BASE], np.array([0.0, 0, 1]))
    clip = clip @ first.T
    second = turn(clip[0, 0, RIGHT] - clip[0, 0, LEFT], np.array([1.0, 0, 0]))
    return clip @ second.T


@pytest.mark.parametrize("protocol", ["stgcn-aaai18", "stgcn-released"])
def test_st_gcns_ntu_clips_are_the_first_two_bodies_raw_and_zeros(protocol):
    joints = bodies([1, 2, 3], [4, None, 5], [6, 7, 8])
    inputs = evaluate(protocol, joints)
    assert inputs.shape == (1, 300, 2, 25, 3)
    np.testing.assert_allclose(inputs[0, :3], joints[:, :2], rtol=1e-6)
    assert not inputs[0, 3:].any()
    np.testing.assert_array_equal(train(protocol, joints), inputs[0])


def test_st_gcns_paper_keeps_the_two_of_best_mean_confidence_and_replays():
    joints = people([[9, 3, 6], [1, 9, 6]])  # means 5, 6, 6
    inputs = evaluate("stgcn-aaai18-2d", joints, frames=5)[0]
    expected = joints[:, [1, 2]] - [0.5, 0.5, 0]
    np.testing.assert_allclose(inputs, expected[[0, 1, 0, 1, 0]], atol=1e-6)
    assert train("stgcn-aaai18-2d", joints).shape == (150, 2, 18, 3)


def test_st_gcns_release_ranks_people_anew_in_every_frame_and_pads_with_zeros():
    joints = people([[9, 3, 6], [1, 9, 6], [2, 1, 0]])
    joints[0, 0, 5, 2] = 0  # undetected: x and y become zero with it
    inputs = evaluate("stgcn-released-2d", joints, frames=5)[0]
    expected = joints - [0.5, 0.5, 0]
    expected[0, 0, 5] = 0
    expected = [
        [expected[0, 0], expected[0, 2]],
        [expected[1, 1], expected[1, 2]],
        [expected[2, 0], expected[2, 1]],
    ]
    np.testing.assert_allclose(inputs[:3], expected, atol=1e-6)
    assert not inputs[3:].any()


@pytest.mark.slow
def test_st_gcns_release_cuts_windows_of_the_padded_clip_and_moves_its_padding():
    joints, starts = people([[5, 4]] * 3), set()
    for position in range(40):
        inputs = train("stgcn-released-2d", joints, position=position, window=4, frames=8)
        np.testing.assert_array_equal(inputs[..., 2].any(axis=(1, 2)), inputs[:, 0, 0, 2] != 0)
        starts.add(tuple(inputs[:, 0, 0, 2] != 0))
    assert starts == {tuple(start + t < 3 for t in range(4)) for start in range(5)}
    nobody = train("stgcn-released-2d", people([[5]] * 3), frames=150)[:, 1, 0, :2]
    seed = seeds.subseed(tf.constant([0, 0], tf.int64), "move")
    result = augment.random_move(
        tf.zeros([150, 1, 1, 3]), tf.ones([150, 1, 1], tf.bool), seed=seed
    ).numpy()
    np.testing.assert_allclose(nobody, result[:, 0, 0, :2], atol=1e-6)
    assert nobody.any()


def test_2s_agcn_loops_each_person_then_measures_from_the_first_ones_spine_per_frame_and_turns():
    paths = (
        [2, 2, 2, 2],
        [None, 3, 6, None],
        [1, 4, 9, 2],
    )  # the first hardly moves: the other two are kept
    joints = bodies(*paths, lift=0.25)
    inputs = evaluate("agcn", joints, frames=7)[0]
    selected = joints[:, [2, 1]]  # by energy
    looped = np.zeros((2, 7, 25, 3))
    for t in range(7):
        looped[0, t] = selected[t % 4, 0]
        looped[1, t] = selected[[1, 2][t % 2], 1]  # frames moved to the start
    centred = looped - looped[:1, :, SPINE_MID : SPINE_MID + 1]
    np.testing.assert_allclose(inputs.transpose(1, 0, 2, 3), upright(centred), atol=2e-5)
    np.testing.assert_array_equal(train("agcn", joints, frames=7), inputs)


def test_2s_agcn_turns_kinetics_upside_down_and_is_st_gcns_release_otherwise():
    joints = people([[9, 3, 6], [1, 9, 6]])
    released, agcn = (
        evaluate(f"{name}-2d", joints, frames=3) for name in ("stgcn-released", "agcn")
    )
    np.testing.assert_array_equal(agcn, released * [1, -1, 1])


def test_ctr_gcn_denoises_drops_empty_frames_centres_and_resizes_the_middle():
    length = 100
    path = [None, None, *(0.1 * t for t in range(length))]
    short = [None] * 5 + [3.0] * 11 + [None] * (length - 14)
    joints = bodies(short, path)
    joints[..., 0] /= 8  # higher than wide
    ids = np.array([[4, 6]]).repeat(len(path), axis=0)
    inputs = evaluate("ctr", joints, ids)[0]
    assert inputs.shape == (64, 2, 25, 3)
    clip = joints[2:, 1] - joints[2, 1, SPINE_MID]
    # int(0.05 100 / 2) = 2 frames fewer at either end
    np.testing.assert_allclose(inputs[:, 0], resized(clip[2:98], 64), atol=1e-5)
    assert not inputs[:, 1].any()


def resized(clip, frames):
    """[t, v, 3] to `frames` frames as CTR-GCN does, one by one."""
    places = np.clip((np.arange(frames) + 0.5) * len(clip) / frames - 0.5, 0, len(clip) - 1)
    low = np.minimum(places.astype(int), len(clip) - 2)
    return np.stack(
        [clip[i] + (at - i) * (clip[i + 1] - clip[i]) for i, at in zip(low, places, strict=True)]
    )


def test_ctr_gcn_trains_on_a_crop_of_64_frames_or_half_of_the_clip_turned_about_its_axes():
    joints = bodies([1 + 0.01 * t for t in range(80)])
    clip, lengths = joints[:, 0] - joints[0, 0, SPINE_MID], []
    for position in range(12):
        seed = tf.constant([0, position], tf.int64)
        draws = resampling.random_crop(
            tf.constant(80), crop=0.5, min_frames=64, seed=seeds.subseed(seed, "crop")
        )
        start, length = (int(x) for x in draws)
        (cx, cy, cz), (sx, sy, sz) = (
            f(tf.random.stateless_uniform([3], seeds.subseed(seed, "rotate"), -0.3, 0.3).numpy())
            for f in (np.cos, np.sin)
        )
        rotated = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]]) @ np.array(
            [[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]
        )
        rotated = rotated @ np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
        expected = resized(clip[start : start + length], 64) @ rotated.T
        np.testing.assert_allclose(
            train("ctr", joints, position=position)[:, 0], expected, atol=1e-5
        )
        lengths.append(length)
    assert min(lengths) == 64 and 64 < max(lengths) < 80  # half of the clip would be 40


def skeleton_file(frames):
    """A file of NTU RGB+D; `frames` list the (id, x) of the bodies in each, all joints at x, x + 1,
    2.
    """
    rows = [str(len(frames))]
    for listed in frames:
        rows.append(str(len(listed)))
        for body, x in listed:
            rows += [f"{body} 0 1 1 1 1 0 0.1 0.2 2", "25", *[f"{x} {x + 1} 2 {'0 ' * 8}2"] * 25]
    return "\n".join(rows) + "\n"


@pytest.mark.slow
def test_the_bodies_of_prepared_records_are_told_apart_by_their_ids(tmp_path):
    frames = [[(72057594037931101, 1 + 0.5 * t), (5, 9)] for t in range(4)]
    frames += [[(5, 9), (72057594037931101, 1 + 0.5 * t)] for t in range(4, 8)]  # they change slots
    (tmp_path / "raw").mkdir()
    for clip in ("S001C001P001R001A001", "S001C001P003R001A001"):
        (tmp_path / "raw" / f"{clip}.skeleton").write_text(skeleton_file(frames))
    prepare(
        "ntu60", raw=tmp_path / "raw", data_dir=tmp_path / "data", options=PrepareOptions(workers=1)
    )
    info = dataset_info.load("ntu60", tmp_path / "data")
    names = [field.name for field in dataclasses.fields(config.ClipConfig)]
    options = sections("ctr", frames=8, share=1.0, sampling="window", center="none")
    clip, augment = {n: options[n] for n in names}, dataclasses.asdict(config.AugmentConfig())
    expected = np.stack([1 + 0.5 * np.arange(8), np.full(8, 9)], axis=1)
    batch = next(batches.eval_batches(info, split="all", batch_size=2, clip=clip))
    np.testing.assert_array_equal(batch["inputs"][0, 0, ..., 0, 0], expected)
    batch = next(
        batches.train_batches(info, split="all", batch_size=2, seed=0, clip=clip, augment=augment)
    )
    np.testing.assert_array_equal(batch["inputs"][0, ..., 0, 0], expected)
    assert np.allclose(batches.gravity_radii(info, "all", clip=clip), 0, atol=1e-5)


def test_pyskl_keeps_the_main_persons_frames_and_measures_from_its_first_spine():
    joints = bodies([1, 2, None, None], [None, 3, 4, 5])
    inputs = evaluate("pyskl-u100", joints)
    assert inputs.shape == (10, 100, 2, 25, 3)
    main = joints[1:, [1, 0]].transpose(
        1, 0, 2, 3
    )  # the second is there more often; its three frames
    in_frame = main.any(axis=-1, keepdims=True)
    expected = upright((main - main[0, 0, SPINE_MID]) * in_frame) * in_frame
    for view in range(10):
        start = view  # three frames are fewer than ten views
        for t in (0, 1, 2, 99):
            np.testing.assert_allclose(inputs[view, t], expected[:, (start + t) % 3], atol=1e-5)


def test_pyskl_takes_one_frame_of_each_hundredth_the_same_in_every_run_and_others_in_every_view():
    joints = bodies([1 + 0.01 * t for t in range(250)])
    inputs = evaluate("pyskl-u100", joints)
    frames = np.round(np.linalg.norm(inputs[:, :, 0, SPINE_MID], axis=-1) / 0.01).astype(int)
    edges = np.arange(101) * 250 // 100
    assert ((frames >= edges[:-1]) & (frames < edges[1:])).all()
    assert len({tuple(row) for row in frames.tolist()}) == 10
    np.testing.assert_array_equal(evaluate("pyskl-u100", joints), inputs)
    draws = np.round(
        np.linalg.norm(train("pyskl-u100", joints)[:, 0, SPINE_MID], axis=-1) / 0.01
    ).astype(int)
    assert (
        (draws >= edges[:-1]) & (draws < edges[1:])
    ).all() and draws.tolist() not in frames.tolist()


def test_pyskl_plays_a_short_clip_again_each_view_from_its_own_tenth_on():
    inputs = evaluate("pyskl-u100", bodies([1 + 0.01 * t for t in range(25)]))[:, :, 0, SPINE_MID]
    frames = np.round(np.linalg.norm(inputs, axis=-1) / 0.01).astype(int)
    for view in range(10):
        np.testing.assert_array_equal(frames[view], (view * 25 // 10 + np.arange(100)) % 25)


def test_pyskls_motion_is_that_of_the_recorded_frames():
    joints = bodies([0.0, *np.cumsum(np.arange(1, 250))])
    still = {"align": False, "stream": "joint+joint_motion"}
    trained = train("pyskl-u100", joints, **still)
    for clip in (evaluate("pyskl-u100", joints, **still)[0], trained):
        inputs = clip[:, 0, SPINE_MID]
        frame = np.round((np.sqrt(8 * inputs[:, 0] + 1) - 1) / 2)
        np.testing.assert_allclose(inputs[:, 0], frame * (frame + 1) / 2, rtol=1e-6)
        np.testing.assert_allclose(inputs[:, 3], np.where(frame < 249, frame + 1, 0), atol=5e-3)
    sampled = evaluate("pyskl-u100", joints, **still, motion="sampled")[0, :, 0, SPINE_MID]
    np.testing.assert_allclose(sampled[:-1, 3], np.diff(sampled[:, 0]), rtol=1e-5)


def test_pyskl_spreads_the_picture_from_minus_one_to_one_and_drops_unsure_joints():
    joints = people([[9, 9]])
    joints[0, 0, 3] = [0.75, 0.25, 0.9]  # pixel (480, 90) of a picture of 640 x 360
    joints[0, 1, 4, 2] = 0.01
    inputs = evaluate("pyskl-u100-2d", joints)
    assert inputs.shape == (10, 100, 2, 18, 3)
    np.testing.assert_allclose(
        inputs[0, 0, 0, 3], [(480 - 320) / 320, (90 - 180) / 180, 0.9], rtol=1e-6
    )
    assert not inputs[:, :, 1, 4].any() and inputs[:, :, 1, 5].all()
