"""Online classifiers: windows and states give the networks' own outputs, independent per person."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import config, skeletons
from jaxact.errors import UserError
from jaxact.models import causal_stgcn, recogniser_stream
from jaxact.streaming import online_classifier
from jaxact.streaming.preprocessing import PosePreprocessor
from jaxact.streaming.window import window_seconds
from tests.helpers import random_runs

FRAMES = 4


@pytest.fixture(scope="module")
def nets():
    recogniser, _ = random_runs.network(
        config.RecogniserConfig(width=6), frames=FRAMES, sampling="resize"
    )
    causal, _ = random_runs.network(config.CausalSTGCNConfig(width=2, window=2), persons=2)
    weights = jax.tree.map(wide, recogniser.weights)
    return {"recogniser": dataclasses.replace(recogniser, weights=weights), "causal": causal}


def wide(leaf):
    """Kernels three times as large, so that windows differ."""
    return leaf * np.float32(3) if leaf.ndim > 1 else leaf


def preprocessor(net):
    return PosePreprocessor(net.layout, net.channels, dataclasses.asdict(net.config.clip))


def frames(count, seed=0):
    return np.random.default_rng(seed).uniform(0.1, 0.9, (count, 14, 3)).astype(np.float32)


def softmax(logits):
    powers = np.exp(np.float64(logits) - np.max(logits, axis=-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


FPS = 30


def probabilities_of(network, count=7):
    """Probabilities per frame of two people; the second appears in the third frame."""
    first, second, steps = frames(count), frames(count, 1), []
    for t in range(count):
        people = {3: first[t]} | ({9: second[t]} if t >= 2 else {})
        steps.append(network.step(t / FPS, people, [(person,) for person in sorted(people)]))
    return first, second, steps


def stretched(joints, count):
    """Frames resized to `count` by linear interpolation, the first and last included."""
    if len(joints) == 1:
        return np.repeat(joints, count, axis=0)
    times = np.linspace(0, len(joints) - 1, count)
    before = np.floor(times).astype(int)
    after = np.ceil(times).astype(int)
    weight = (times - before)[:, None, None]
    return (1 - weight) * joints[before] + weight * joints[after]


def test_the_recogniser_reads_the_frames_so_far_stretched_to_its_window(nets):
    net = nets["recogniser"]
    network = online_classifier.build(net, preprocessor(net))
    first, second, steps = probabilities_of(network)
    for person, joints, start in ((3, first, 0), (9, second, 2)):
        for t in range(start, 7):
            window = stretched(joints[start : t + 1][-FRAMES:], FRAMES)
            window[..., :2] -= 0.5
            logits = net.model.apply(net.weights, jnp.asarray(window[None, :, None], jnp.float32))
            expected = softmax(np.asarray(logits))[0]
            np.testing.assert_allclose(steps[t][person,], expected, atol=1e-4)
    assert np.ptp([probabilities[3,] for probabilities in steps], axis=0).max() > 1e-4


def test_a_carried_recogniser_tells_what_its_stream_tells_each_person_alone(nets):
    net = nets["recogniser"]
    preprocess = preprocessor(net)
    network = online_classifier.build(net, preprocess, carry=True)
    assert isinstance(network, online_classifier.StatefulClassifier)
    first, second, steps = probabilities_of(network)
    for person, joints, start in ((3, first, 0), (9, second, 2)):
        state = recogniser_stream.open_rolling(net.model, net.weights, 1)
        for t in range(start, 7):
            inputs = preprocess.frame_inputs(joints[t : t + 1])[:, 0]
            state, logits = recogniser_stream.step(net.model, net.weights, state, inputs)
            np.testing.assert_allclose(steps[t][person,], softmax(logits)[0], atol=1e-5)


def test_a_carried_recogniser_reads_a_window_in_as_many_frames_as_its_clips_have(nets):
    net = nets["recogniser"]
    network = online_classifier.build(net, preprocessor(net), carry=True, seconds=0.5)
    assert network._fps == FRAMES / 0.5
    with pytest.raises(UserError, match="--window-seconds is above 0 and at most 60, got 61"):
        online_classifier.build(net, preprocessor(net), seconds=61.0)
    causal = nets["causal"]
    with pytest.raises(UserError, match="for networks whose clips are resampled; the clips of"):
        online_classifier.build(causal, preprocessor(causal), seconds=2.0)


def test_the_causal_network_carries_a_state_for_each_person(nets):
    net = nets["causal"]
    network = online_classifier.build(net, preprocessor(net))
    first, _, steps = probabilities_of(network, 5)
    state = causal_stgcn.open_stream(net.model, 1, 2)
    for t in range(5):
        frame = np.zeros((1, 2, 14, 3), np.float32)
        frame[0, 0] = first[t] - (0.5, 0.5, 0)
        state, logits = causal_stgcn.step(net.model, net.weights, state, frame)
        np.testing.assert_allclose(steps[t][3,], softmax(logits)[0], atol=1e-5)
    with pytest.raises(UserError, match="'causal_stgcn' always carries its state"):
        online_classifier.build(net, preprocessor(net), carry=True)


@pytest.mark.parametrize("name", ["recogniser", "causal"])
def test_a_dropped_person_starts_from_the_initial_state(nets, name):
    network = online_classifier.build(nets[name], preprocessor(nets[name]))
    _, second, steps = probabilities_of(network, 4)
    network.keep_only([(3,)])
    again = network.step(2.0, {9: second[2]}, [(9,)])
    np.testing.assert_allclose(again[9,], steps[2][9,], atol=1e-6)


def test_a_causal_network_reads_at_its_own_rate_whatever_the_rate_of_the_source(nets):
    """A source of half the rate gives the frame in between; of a faster one, some are left out."""
    net = nets["causal"]
    slow, fast = frames(4), frames(13, 2)
    for joints, fps in ((slow, FPS / 2), (fast, FPS * 2)):
        network = online_classifier.build(net, preprocessor(net))
        for t, frame in enumerate(joints):
            last = network.step(t / fps, {0: frame}, [(0,)])
        expected = stretched(joints, 7)  # of both: 0 to 0.2 s at 30 per second
        state = causal_stgcn.open_stream(net.model, 1, 2)
        for frame in expected:
            inputs = np.zeros((1, 2, 14, 3), np.float32)
            inputs[0, 0] = frame - (0.5, 0.5, 0)
            state, logits = causal_stgcn.step(net.model, net.weights, state, inputs)
        np.testing.assert_allclose(last[0,], softmax(logits)[0], atol=1e-5)


class Echo:
    """Keeps what it is given; the class is the number of frames that hold anybody."""

    def apply(self, weights, x, train):
        del weights, train
        jax.debug.callback(lambda value: setattr(self, "x", np.array(value)), x)
        counts = (x != 0).any(axis=(2, 3, 4)).sum(axis=1, keepdims=True)
        return (counts == np.arange(FRAMES + 1)[None]).astype(np.float32)


def echo_classifier(**options):
    """A classifier that keeps its inputs, and the object that they are kept in."""
    clip = dataclasses.asdict(config.ClipConfig(frames=FRAMES, persons=2)) | options
    preprocess = PosePreprocessor(skeletons.get_layout("body-14"), random_runs.CHANNELS, clip)
    echo = Echo()
    return online_classifier.WindowClassifier(
        echo, {}, preprocess, seconds=window_seconds(clip)
    ), echo


def last_input(network, echo, joints, fps=FPS):
    for t, frame in enumerate(joints):
        network.step(t / fps, {0: frame}, [(0,)])
    jax.effects_barrier()
    return echo.x[0, :, 0]


def centred(joints):
    return np.where(joints != 0, joints - np.array([0.5, 0.5, 0], np.float32), 0)


@pytest.mark.parametrize(
    ("options", "index"),
    [
        ({"pad": "zero"}, [0, 1, None, None]),
        ({"pad": "replay"}, [0, 1, 0, 1]),
        ({"sampling": "crop_resize"}, [0, 0.25, 0.75, 1]),
        ({"sampling": "resize"}, [0, 1 / 3, 2 / 3, 1]),
    ],
)
def test_a_short_window_is_filled_as_the_clips_of_the_run(options, index):
    network, echo = echo_classifier(**options)
    joints = frames(2)
    expected = []
    for at in index:
        if at is None:
            expected.append(np.zeros((14, 3)))
        else:
            expected.append(centred((1 - at) * joints[0] + at * joints[1]))
    np.testing.assert_allclose(last_input(network, echo, joints), expected, atol=1e-6)


def test_a_window_has_the_same_seconds_at_any_frame_rate():
    for fps, count in ((15, 12), (30, 23), (60, 45)):
        network, echo = echo_classifier()
        times = np.arange(count) / fps
        joints = np.ones((count, 14, 3)) * (0.5 + 0.1 * times)[:, None, None]
        inputs = last_input(network, echo, joints.astype(np.float32), fps)
        expected = 0.1 * (times[-1] - np.arange(FRAMES)[::-1] / FPS)
        np.testing.assert_allclose(inputs[:, 5, 0], expected, atol=1e-5)


def test_the_seconds_of_a_resampled_window_are_an_option():
    network, echo = echo_classifier(sampling="resize", seconds=0.5)
    joints = (
        np.ones((60, 14, 3), np.float32)
        * (0.5 + 0.001 * np.arange(60, dtype=np.float32))[:, None, None]
    )
    inputs = last_input(network, echo, joints)
    np.testing.assert_allclose(inputs[[0, -1], 0, 0], [0.045, 0.059], atol=1e-5)  # 15 frames


def test_two_people_are_read_together_on_the_same_times():
    network, echo = echo_classifier()
    first, second = frames(4), frames(4, 1)
    for t in range(4):
        people = {3: first[t]} | ({7: second[t]} if t >= 2 else {})
        result = network.step(t / FPS, people, [(3, 7) if t >= 2 else (3,)])
    jax.effects_barrier()
    assert list(result) == [(3, 7)]
    np.testing.assert_allclose(echo.x[0, :, 0], centred(first), atol=1e-6)
    expected = np.concatenate([np.zeros((2, 14, 3)), centred(second[2:])])
    np.testing.assert_allclose(echo.x[0, :, 1], expected, atol=1e-6)


def test_people_are_read_together_in_few_sizes():
    network, echo = echo_classifier()
    people = dict(enumerate(frames(5)))
    probabilities = network.step(0.0, people, [(0,), (2,), (3,), (4,), (7,)])
    jax.effects_barrier()
    assert echo.x.shape == (4, FRAMES, 2, 14, 3)
    assert sorted(probabilities) == [(0,), (2,), (3,), (4,)]
    assert all(int(np.argmax(each)) == 1 for each in probabilities.values())
    assert network.step(0.1, {}, []) == {}


def test_the_history_of_a_person_holds_no_more_than_the_window():
    network, _ = echo_classifier()
    for t in range(500):
        network._window.add(t / FPS, {0: frames(1)[0]})
    assert len(network._window._history[0]) <= FRAMES + 2
