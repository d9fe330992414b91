"""Activation maps: features that the network sows, their strength, and their frames."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import config, skeletons
from jaxact.errors import UserError
from jaxact.inference import activation_map
from jaxact.models import stgcn
from jaxact.runs import state, trained_model
from tests.helpers.random_weights import fill


@pytest.fixture(scope="module", autouse=True)
def short():
    """Two units and the real distance of frames, four, which compile in a fraction of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(stgcn.VARIANTS, "stem9", (("stem", 1, 1), ("unit4", 2, 2), ("unit7", 4, 2)))
        yield


def network(model=None, **clip) -> trained_model.TrainedModel:
    run = config.TrainConfig(model=model or config.STGCNConfig(width=4, init="he_fan_out"))
    run.clip = config.ClipConfig(**{"frames": 22, "persons": 2, **clip})
    layout, channels = skeletons.get_layout("ntu-25"), ("x", "y", "z")
    meta = trained_model.RunMetadata(run, layout, ("a", "b", "c"), channels)
    built = trained_model.build(meta)
    weights = fill(jax.eval_shape(lambda: state.init(built, trained_model.example_input(meta), 0)))
    return trained_model.TrainedModel(
        built, weights, run, layout, ("a", "b", "c"), channels, 0, "fresh"
    )


def record(frames=22, people=2, empty=0):
    joints = np.random.default_rng(0).uniform(0.1, 1, (frames, people, 25, 3)).astype(np.float32)
    joints[frames - empty :] = 0
    return {"id": b"clip", "joints": joints, "label": np.int64(1)}


@pytest.fixture(scope="module")
def net(short):
    return network()


@functools.partial(jax.jit, static_argnums=0)
def apply(model, weights, x):
    return model.apply(weights, x, mutable=["intermediates"])


def sown(net, clip):
    logits, variables = apply(net.model, net.weights, jnp.asarray(clip[None]))
    return logits[0], np.asarray(variables["intermediates"]["features"][0][0])


def test_the_head_reads_the_mean_of_what_is_sown(net):
    logits, features = sown(net, record()["joints"])
    assert features.shape == (6, 2, 25, 16)
    head = net.weights["params"]["head"]
    np.testing.assert_allclose(
        features.mean((0, 1, 2)) @ head["kernel"] + head["bias"], logits, rtol=1e-4, atol=1e-5
    )


def test_what_is_sown_lies_at_its_frame_person_and_joint(net):
    clip = record()["joints"]
    _, before = sown(net, clip)
    clip[20:, 1, 24] += 3  # the right thumb of the second person, at the end
    _, after = sown(net, clip)
    changed = np.abs(after - before).max(-1) > 1e-6
    assert changed[5, 1, 24] and not changed[:, 0].any() and not changed[0].any()
    assert not changed[:, 1, 0].any(), "three units reach three bones, not the spine's base"


def test_strength_equals_a_slow_loop():
    features = np.random.default_rng(0).standard_normal((3, 2, 5, 4)).astype(np.float32)
    sizes = {
        (s, m, v): sum(abs(f) for f in features[s, m, v]) / 4 for s, m, v in np.ndindex(3, 2, 5)
    }
    mean = sum(sizes.values()) / len(sizes)
    strength = activation_map.strength(features)
    for s, m in np.ndindex(3, 2):
        powers = [(sizes[s, m, v] / mean) ** 5 for v in range(5)]
        np.testing.assert_allclose(
            strength[s, m], [power / (sum(powers) / 5) for power in powers], rtol=1e-5
        )
    assert not activation_map.strength(np.zeros((2, 1, 5, 4), np.float32)).any()


def test_a_record_is_shown_in_its_own_coordinates_each_response_for_four_frames(net):
    clip = record(frames=18, empty=2)
    activation = activation_map.activation_map(net, clip)
    np.testing.assert_array_equal(activation.joints, clip["joints"][:16])
    _, features = sown(net, np.pad(clip["joints"], [(0, 4), (0, 0), (0, 0), (0, 0)]))
    expected = activation_map.strength(features)
    for t in range(16):
        np.testing.assert_allclose(activation.strength[t], expected[t // 4], rtol=1e-3, atol=1e-5)
    assert activation.rate == 1 and activation.predicted in net.labels


def test_centring_and_streams_change_the_response_and_not_the_drawing():
    net = network(center="frame", stream="bone", sampling="resize", views=3)
    activation = activation_map.activation_map(net, record(frames=11))
    assert activation.joints.shape == (22, 2, 25, 3) and activation.rate == 2
    np.testing.assert_allclose(
        activation.joints[[0, -1]], record(frames=11)["joints"][[0, -1]], rtol=1e-6
    )


def test_a_network_without_joints_at_its_end_is_refused():
    net = network(config.TCNConfig(width=2))
    with pytest.raises(
        UserError, match="the last layer of the network 'tcn' has no joints; wanted a checkpoint of"
    ):
        activation_map.activation_map(net, record())


def test_a_record_without_people_is_refused(net):
    with pytest.raises(
        UserError,
        match="no person is visible in the frames that the network reads of the record 'clip'",
    ):
        activation_map.activation_map(net, record(empty=22))


def test_local_convolution_answers_too():
    assert activation_map.activation_map(
        network(config.LocalConfig(width=4)), record()
    ).strength.shape == (22, 2, 25)
