"""Online classifiers: windows and states give the networks' own outputs, independent per person."""

import dataclasses

import jax
import numpy as np
import pytest

from jaxact import config, skeletons
from jaxact.errors import UserError
from jaxact.models import causal_stgcn, recogniser_stream
from jaxact.streaming import online_classifier
from jaxact.streaming.preprocessing import PosePreprocessor
from tests.helpers import random_runs

FRAMES = 4


@pytest.fixture(scope="module")
def nets():
    recogniser, _ = random_runs.network(config.RecogniserConfig(width=6), frames=FRAMES)
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


def probabilities_of(network, count=7):
    """Probabilities per frame of two people; the second appears in the third frame."""
    first, second, steps = frames(count), frames(count, 1), []
    for t in range(count):
        people = {3: first[t]} | ({9: second[t]} if t >= 2 else {})
        steps.append(network.step(people, sorted(people)))
    return first, second, steps


@pytest.mark.parametrize("carry", [False, True])
def test_the_recogniser_tells_what_its_stream_tells_each_person_alone(nets, carry):
    net = nets["recogniser"]
    network, preprocess = (
        online_classifier.build(net, preprocessor(net), carry=carry),
        preprocessor(net),
    )
    assert isinstance(
        network,
        online_classifier.StatefulClassifier if carry else online_classifier.WindowClassifier,
    )
    first, second, steps = probabilities_of(network)
    run = recogniser_stream.step if carry else recogniser_stream.slide
    for name, person, start in ((3, first, 0), (9, second, 2)):
        state = recogniser_stream.open_window(net.model, net.weights, (1, 14, 3))
        state = recogniser_stream.open_rolling(net.model, net.weights, 1) if carry else state
        for t in range(start, 7):
            state, logits = run(net.model, net.weights, state, preprocess.inputs(person[t : t + 1]))
            np.testing.assert_allclose(steps[t][name], softmax(logits)[0], atol=1e-5)
    assert np.ptp([probabilities[3] for probabilities in steps], axis=0).max() > 1e-4


def test_the_causal_network_carries_a_state_for_each_person(nets):
    net = nets["causal"]
    network, preprocess = online_classifier.build(net, preprocessor(net)), preprocessor(net)
    first, _, steps = probabilities_of(network, 5)
    state = causal_stgcn.open_stream(net.model, 1, 2)
    for t in range(5):
        frame = np.zeros((1, 2, 14, 3), np.float32)
        frame[0, 0] = preprocess.inputs(first[t : t + 1])[0]
        state, logits = causal_stgcn.step(net.model, net.weights, state, frame)
        np.testing.assert_allclose(steps[t][3], softmax(logits)[0], atol=1e-5)
    with pytest.raises(UserError, match="'causal_stgcn' always carries its state"):
        online_classifier.build(net, preprocessor(net), carry=True)


@pytest.mark.parametrize("name", ["recogniser", "causal"])
def test_a_dropped_person_starts_from_the_initial_state(nets, name):
    network = online_classifier.build(nets[name], preprocessor(nets[name]))
    _, second, steps = probabilities_of(network, 4)
    network.keep_only({3})
    np.testing.assert_allclose(network.step({9: second[2]}, [9])[9], steps[2][9], atol=1e-6)


class Echo:
    """Keeps what it is given; the class is the number of frames that hold anybody."""

    def apply(self, weights, x, train):
        del weights, train
        self.shape = x.shape
        return (x != 0).any(axis=(2, 3, 4)).sum(axis=1, keepdims=True) == np.arange(FRAMES + 1)[
            None
        ]


@pytest.mark.parametrize(
    ("options", "index"),
    [
        ({"pad": "zero"}, [0, 1, None, None]),
        ({"pad": "replay"}, [0, 1, 0, 1]),
        ({"sampling": "resize"}, [0, 0, 1, 1]),
    ],
)
def test_a_short_window_is_filled_as_the_clips_of_the_run(options, index):
    clip = dataclasses.asdict(config.ClipConfig(frames=FRAMES, persons=2)) | options
    preprocess = PosePreprocessor(skeletons.get_layout("body-14"), random_runs.CHANNELS, clip)
    network, joints = online_classifier.WindowClassifier(Echo(), {}, preprocess), frames(2)
    expected = np.stack([np.zeros_like(joints[0]) if at is None else joints[at] for at in index])
    np.testing.assert_array_equal(network._window(joints), preprocess.inputs(expected))
    full = frames(9)
    for t in range(9):
        network.step({0: full[t]}, [])
    np.testing.assert_array_equal(np.stack(network._history[0]), full[-FRAMES:])


def test_people_are_read_together_in_few_sizes():
    clip = dataclasses.asdict(config.ClipConfig(frames=FRAMES, persons=2))
    network = online_classifier.WindowClassifier(
        echo := Echo(),
        {},
        PosePreprocessor(skeletons.get_layout("body-14"), random_runs.CHANNELS, clip),
    )
    people = dict(enumerate(frames(5)))
    probabilities = network.step(people, [0, 2, 3, 4, 7])
    assert echo.shape == (4, FRAMES, 2, 14, 3) and sorted(probabilities) == [0, 2, 3, 4]
    assert all(int(np.argmax(each)) == 1 for each in probabilities.values())
    assert network.step({}, []) == {}
