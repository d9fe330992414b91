"""Attention maps of an STA-GCN: H by loops, the order of features, and the selected segments."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import config, skeletons
from jaxact.errors import UserError
from jaxact.inference import stagcn_attention
from jaxact.models import stgcn
from jaxact.models.layers import segment_fusion, st_attention
from jaxact.runs import state, trained_model
from tests.helpers.random_weights import fill

LABELS = ("a", "b", "c", "d")


@pytest.fixture(scope="module", autouse=True)
def short():
    """The three units that a gate looks at, and one of stride two."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(
            stgcn.VARIANTS,
            "stem9",
            (("stem", 1, 1), ("unit1", 1, 1), ("unit2", 1, 1), ("unit4", 2, 2)),
        )
        yield


def network(
    model=None, *, drawn=False, layout="kinect-15", channels=("x", "y", "z"), **clip
) -> trained_model.TrainedModel:
    options = {"width": 4, "init": "he_fan_out", "segments": 2, "kept": 1}
    run = config.TrainConfig(model=model or config.STAGCNConfig(**options))
    run.clip = config.ClipConfig(**{"frames": 10, "persons": 2, **clip})
    body = skeletons.get_layout(layout)
    meta = trained_model.RunMetadata(run, body, LABELS, channels)
    built = trained_model.build(meta)
    shapes = (
        jax.eval_shape(lambda: state.init(built, trained_model.example_input(meta), 0))
        if drawn
        else {}
    )
    weights = jax.tree.map(np.asarray, fill(shapes, seed=1, constants={"mean": 0.0, "var": 1.0}))
    return trained_model.TrainedModel(built, weights, run, body, LABELS, channels, 0, "fresh")


def record(frames=10, people=2, joints=15, channels=3):
    points = (
        np.random.default_rng(0)
        .uniform(0.1, 1, (frames, people, joints, channels))
        .astype(np.float32)
    )
    return {"id": b"clip", "joints": points, "label": np.int64(1)}


def ran(net, joints):
    """Outputs of the one clip, and what is sown."""
    outputs, variables = stagcn_attention._apply(net.model, net.weights, jnp.asarray(joints[None]))
    return {name: np.asarray(value[0]) for name, value in outputs.items()}, variables[
        "intermediates"
    ]


@pytest.fixture(scope="module")
def net(short):
    return network(drawn=True)


@pytest.fixture(scope="module")
def clip_maps(net):
    """A clip in which one joint is missing in one frame; the network's outputs and maps of it."""
    example = record()
    example["joints"][3, 1, 4] = 0
    return example, *ran(net, example["joints"]), stagcn_attention.attention_maps(net, example)


def slow_heat(features, weight, gate, present):
    expected = np.zeros(present.shape)
    for t in range(len(present)):
        shares = {}
        for m, v in np.ndindex(*present.shape[1:]):
            if present[t, m, v]:
                shares[m, v] = gate[t, m, v] * sum(
                    features[t, m, v, d] * weight[d] for d in range(len(weight))
                )
        for (m, v), share in shares.items():
            low, high = min(shares.values()), max(shares.values())
            expected[t, m, v] = (share - low) / (high - low) if high > low else 0.0
    return expected


def test_the_heat_is_the_least_to_greatest_share_of_a_frames_joints_by_a_loop():
    random = np.random.default_rng(1)
    features, weight = (
        random.standard_normal((4, 2, 4, 3)).astype(np.float32),
        random.standard_normal(3),
    )
    gate, present = random.uniform(0.1, 1, (4, 2, 4)), random.uniform(size=(4, 2, 4)) < 0.7
    present[1] = False
    present[2], present[2, 1, 3] = False, True
    features[~present] *= 50  # what is missing must not set the scale
    heat = stagcn_attention.joint_heat(features, weight, gate, present)
    np.testing.assert_allclose(heat, slow_heat(features, weight, gate, present), atol=1e-6)
    assert heat[0].max() == 1 and not heat[1].any() and not heat[2].any()
    np.testing.assert_allclose(
        stagcn_attention.joint_heat(features, weight, None, present),
        slow_heat(features, weight, np.ones_like(gate), present),
        atol=1e-6,
    )


@pytest.mark.parametrize("stride", [1, 2])
def test_features_come_back_at_their_frame_person_and_joint(stride):
    """As many joints as frames, so that no shape tells them apart."""
    segments, people, frames = 3, 2, 5
    features = np.zeros((segments * people, 5, -(-frames // stride), 1), np.float32)
    for s, m, v, t in np.ndindex(segments, people, 5, features.shape[2]):
        features[s * people + m, v, t] = 1000 * s + 100 * m + 10 * v + t
    in_order = stagcn_attention.to_clip_order(features, segments, frames, stride)
    assert in_order.shape == (15, people, 5, 1)
    for s, t, m, v in np.ndindex(segments, frames, people, 5):
        assert in_order[s * frames + t, m, v, 0] == 1000 * s + 100 * m + 10 * v + t // stride


def test_the_maps_of_a_network_are_its_gate_times_its_auxiliary_classifiers_activation(
    net, clip_maps
):
    example, outputs, sown, maps = clip_maps
    gated, gate = np.asarray(sown["gated_features"][0]), np.asarray(sown["gate"][0][0])
    head, predicted = net.weights["params"]["auxiliary"], int(outputs["logits"].argmax())
    features = np.zeros((10, 2, 15, gated.shape[-1]))
    for t, m, v in np.ndindex(10, 2, 15):
        features[t, m, v] = gated[t // 5 * 2 + m, v, t % 5]
    expected = slow_heat(
        features, np.asarray(head["kernel"])[:, predicted], gate, example["joints"].any(-1)
    )
    np.testing.assert_allclose(maps.heat, expected, atol=1e-4)
    np.testing.assert_allclose(maps.gate, gate, rtol=1e-6)
    assert maps.heat[3, 1, 4] == 0 and (maps.heat.max((1, 2)) == 1).all()
    # What the map spreads over a segment's joints is the class's auxiliary logit.
    logits = features.reshape(2, -1, gated.shape[-1]).mean(1) @ head["kernel"] + head["bias"]
    np.testing.assert_allclose(logits, outputs["auxiliary"], rtol=1e-4, atol=1e-5)


def test_a_joint_that_moves_changes_the_gate_of_its_neighbours_from_then_on_and_of_nobody_else(net):
    example = record()
    before = stagcn_attention.attention_maps(net, example)
    example["joints"][7, 1, 5] += (
        2  # the second person's left hand, in the second segment's third frame
    )
    changed = np.abs(stagcn_attention.attention_maps(net, example).gate - before.gate) > 1e-7
    assert changed[7:, 1, 5].all() and not changed[:7].any() and not changed[:, 0].any()
    assert not changed[:, 1, 11].any(), "a foot is farther than three bones away"


def test_segments_have_the_networks_own_classes_and_confidences(net, clip_maps):
    _, outputs, _, maps = clip_maps
    p = np.exp(outputs["segments"]) / np.exp(outputs["segments"]).sum(-1, keepdims=True)
    assert (
        maps.segment_labels == tuple(LABELS[k] for k in p.argmax(-1))
        and maps.predicted == LABELS[p[maps.selected][0].argmax()]
    )
    np.testing.assert_allclose(maps.confidence, p.max(-1), rtol=1e-5)
    assert maps.selected.tolist() == [p[0].max() >= p[1].max(), p[1].max() > p[0].max()]
    assert maps.probability == pytest.approx(p[maps.selected][0].max(), rel=1e-4)


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_the_kept_segments_are_those_that_the_prediction_is_fused_of(count):
    logits = np.random.default_rng(2).standard_normal((1, 4, 5)).astype(np.float32)
    logits[0, 3] = logits[0, 1]  # a tie
    logits = jnp.asarray(logits)
    sure = np.asarray(segment_fusion.confidences(logits, "max"))[0]
    selected = stagcn_attention.select_segments(sure, count)
    assert selected.sum() == (count or 4)
    p = np.asarray(jax.nn.softmax(logits[0]))
    weight = selected * (sure if count else 1.0)
    expected = np.log((weight[:, None] * p).sum(0) / weight.sum())
    np.testing.assert_allclose(segment_fusion.fuse_segments(logits, count)[0], expected, rtol=1e-4)


@pytest.mark.slow
def test_what_is_taken_from_a_joint_is_the_mean_of_the_attention_over_targets_units_and_segments():
    net = network(
        config.STAGCNConfig(width=4, init="he_fan_out", segments=2, kept=1, attention="spatial"),
        drawn=True,
    )
    example = record()
    example["joints"][5:, 1] = 0  # the second person leaves before the second segment
    _, sown = ran(net, example["joints"])
    units = [
        np.asarray(sown[name]["spatial_attention"][0])
        for name in ("stem", "unit1", "unit2", "unit4")
    ]
    expected = np.zeros((2, 15))
    for v in range(15):
        mean = [np.mean([unit[n, v, w] for unit in units for w in range(15)]) for n in range(4)]
        expected[:, v] = (mean[0] + mean[2]) / 2, mean[1]
    received = stagcn_attention.attention_maps(net, example).received
    np.testing.assert_allclose(received, expected, rtol=1e-4)
    np.testing.assert_allclose(received.sum(1), 1, rtol=1e-5)
    # The first unit's S' is made of the normalised input, and its sources come first.
    norm, stem = net.weights["params"]["data_norm"], net.weights["params"]["stem"]
    x = example["joints"].reshape(2, 5, 2, 15, 3).transpose(0, 2, 3, 1, 4).reshape(4, 15, 5, 3)
    x = x / np.sqrt(1 + 1e-5) * norm["scale"].reshape(15, 1, 3) + norm["bias"].reshape(15, 1, 3)
    weights = {
        name: jnp.asarray(stem[f"joints_{name}"])
        for name in ("along", "across", "channels", "matrix", "bias")
    }
    np.testing.assert_allclose(
        units[0], st_attention.spatial_attention(jnp.asarray(x), weights), rtol=1e-4
    )


@pytest.mark.slow
def test_without_a_gate_the_heat_is_the_networks_own_classifiers():
    net = network(
        config.STAGCNConfig(width=4, segments=2, kept=0, attention="temporal", gate="none"),
        drawn=True,
    )
    example = record()
    outputs, sown = ran(net, example["joints"])
    last = np.asarray(sown["features"][0])
    features = np.zeros((10, 2, 15, last.shape[-1]))
    for t, m, v in np.ndindex(10, 2, 15):
        features[t, m, v] = last[t // 5 * 2 + m, v, t % 5 // 2]
    kernel = np.asarray(net.weights["params"]["head"]["kernel"])[:, outputs["logits"].argmax()]
    maps = stagcn_attention.attention_maps(net, example)
    no_gate, present = np.ones((10, 2, 15)), np.ones((10, 2, 15), bool)
    expected = slow_heat(features, kernel, no_gate, present)
    np.testing.assert_allclose(maps.heat, expected, atol=1e-4)
    assert maps.gate is None and maps.received is None and maps.selected.all()


def test_the_last_units_features_lie_at_their_frame_person_and_joint():
    options = {"width": 4, "init": "he_fan_out", "segments": 2, "kept": 1, "operator": "partition"}
    options |= {"attention": "none", "gate": "none"}
    net, example = network(config.STAGCNConfig(**options), drawn=True), record()

    def features():
        _, sown = ran(net, example["joints"])
        return stagcn_attention.to_clip_order(np.asarray(sown["features"][0]), 2, 5, 2)

    before = features()
    example["joints"][9, 1, 14] += 3  # the second person's right foot, at the end
    changed = np.abs(features() - before).max(-1) > 1e-6
    assert changed[9, 1, 14] and not changed[:, 0].any() and not changed[:5].any()
    assert not changed[:, 1, 0].any(), "four units reach four bones, not the head"


def recorded_joints(net, example):
    """`joints`, `pixels` and `frames` without running the network."""
    persons = stagcn_attention._select_persons(net, example)
    source = stagcn_attention._source_index(net, persons)
    inputs = stagcn_attention._network_input(net, example)
    return inputs, *stagcn_attention._recorded_joints(example, persons, source)


def test_every_frame_shows_the_nearest_recorded_one(net):
    example = record(frames=7) | {
        "pixels": np.random.default_rng(3).uniform(1, 99, (7, 15, 2)).astype(np.float32)
    }
    example["joints"][:, 1] = 0
    inputs, joints, pixels, frames = recorded_joints(
        network(sampling="resize", center="first", scale="skeleton"), example
    )
    expected = np.linspace(0, 6, 10).round().astype(int)
    np.testing.assert_array_equal(frames, expected)
    np.testing.assert_array_equal(joints, example["joints"][expected])
    np.testing.assert_array_equal(pixels[:, 0], example["pixels"][expected])
    assert not pixels[:, 1].any() and np.abs(inputs - joints).max() > 0.1


def test_frames_that_are_dropped_and_people_who_are_reordered_keep_their_numbers():
    example = record(frames=12)
    example["joints"][2] = 0
    example["joints"][:8, 0] = 0  # the main person is the second one
    _, joints, _, frames = recorded_joints(network(empty="drop_main"), example)
    numbers = [0, 1, *range(3, 11)]
    np.testing.assert_array_equal(frames, numbers)
    np.testing.assert_array_equal(joints, example["joints"][numbers][:, ::-1])


def test_frames_behind_the_end_are_empty_and_named_after_the_last_one(net):
    _, joints, _, frames = recorded_joints(net, record(frames=8))
    np.testing.assert_array_equal(frames, [0, 1, 2, 3, 4, 5, 6, 7, 7, 7])
    assert joints[7].all() and not joints[8:].any()


def test_joints_of_low_score_are_missing():
    net = network(layout="openpose-18", channels=("x", "y", "score"), min_score=0.4, center="frame")
    example = record(joints=18)
    _, joints, _, _ = recorded_joints(net, example)
    np.testing.assert_array_equal(joints, example["joints"] * (example["joints"][..., 2:] > 0.4))


def test_a_joint_missing_in_one_frame_is_taken_from_the_next():
    example = record(frames=3)
    example["joints"][0, 0, 6] = 0
    _, joints, _, _ = recorded_joints(network(sampling="resize", frames=6), example)
    np.testing.assert_array_equal(joints[1, 0, 6], example["joints"][1, 0, 6])
    np.testing.assert_array_equal(joints[1, 0, 7], example["joints"][0, 0, 7])
    assert not joints[0, 0, 6].any()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            config.STGCNConfig(width=2),
            "'stgcn' has no attention and no gate; wanted a checkpoint of stagcn",
        ),
        (
            config.STAGCNConfig(attention="none", gate="none"),
            "trained with model.attention and model.gate 'none'",
        ),
    ],
)
def test_a_network_without_attention_is_refused(model, message):
    with pytest.raises(UserError, match=message):
        stagcn_attention.attention_maps(network(model), record())


def test_a_record_that_is_shorter_than_the_segments_is_refused(net):
    with pytest.raises(
        UserError,
        match="the record 'clip' has 1 frames, fewer than the 2 segments that the network",
    ):
        stagcn_attention.attention_maps(net, record(frames=1))


def test_a_record_without_anyone_is_refused(net):
    example = record()
    example["joints"][:] = 0
    with pytest.raises(
        UserError,
        match="no person is visible in the frames that the network reads of the record 'clip'",
    ):
        stagcn_attention.attention_maps(net, example)
