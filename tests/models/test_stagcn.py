"""STA-GCN: its attention against loops and public ASTGCN, its sizes, its segments, and what every
network keeps.
"""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict
from jax import export

from jaxact import skeletons
from jaxact.errors import UserError
from jaxact.losses import classification as losses
from jaxact.models import spatial_attention_net, stagcn, stgcn
from jaxact.models.layers import attention_unit, graph_conv, segment_fusion
from jaxact.models.layers import st_attention as attention
from jaxact.models.layers.adjacency import Adjacency
from jaxact.runs import state
from jaxact.training import optim, train_step
from tests.helpers.formulations import NAMES, run_in
from tests.helpers.random_weights import LEGS, random_array, random_variables

PUBLIC = Path(__file__).parents[1] / "data" / "astgcn.npz"
SHORT = {  # where the gate is shared it looks at the first three units
    "one": (("stem", 1, 1),),
    "two": (("stem", 1, 1), ("unit4", 2, 2)),
    "three": (("stem", 1, 1), ("unit1", 1, 1), ("unit2", 1, 1)),
}


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Networks of a few units; the last of `two` changes frames and channels."""
    for name, units in SHORT.items():
        monkeypatch.setitem(stgcn.VARIANTS, name, units)


def build(**options):
    adjacency = Adjacency(skeletons.chebyshev(LEGS))
    return stagcn.STAGCN(
        **{"num_classes": 5, "adjacency": adjacency, "network": "two", "width": 4} | options
    )


def clips(frames=10, persons=2, batch=3):
    return random_array(batch, frames, persons, 5, 3, seed=3)


def public():
    with np.load(PUBLIC) as stored:
        held = {name: jnp.asarray(stored[name]) for name in stored.files}
    weights = {
        kind: {
            name.split("/")[1]: value for name, value in held.items() if name.startswith(f"{kind}/")
        }
        for kind in ("joints", "frames")
    }
    return held, weights["joints"], weights["frames"]


spatial_attention = jax.jit(attention.spatial_attention, static_argnums=2)
temporal_attention = jax.jit(attention.temporal_attention, static_argnums=2)


def test_attention_and_graph_convolution_give_the_numbers_of_public_astgcn():
    n, joints, frames = public()
    np.testing.assert_allclose(
        spatial_attention(n["inputs"], joints, "i"), joints["attention"], atol=1e-6
    )
    np.testing.assert_allclose(
        temporal_attention(n["inputs"], frames, "i"), frames["attention"], atol=1e-6
    )
    graph = n["polynomials"][None] * joints["attention"][:, None]
    for features in (3, 5):  # fewer and more than the four channels that come in
        for convolve in (graph_conv.graph_conv, graph_conv.planned_graph_conv):
            ours = jax.jit(convolve)(n["inputs"], n[f"kernel{features}"], graph)
            np.testing.assert_allclose(np.maximum(ours, 0), n[f"convolved{features}"], atol=1e-5)


def softmax(row):
    powers = np.exp(row - row.max())
    return powers / powers.sum()


def test_attention_is_the_papers_equations_by_loops():
    """Equations 3 to 6 for one clip, entry by entry, and the convolution that S' weighs."""
    n, of_joints, of_frames = public()
    x = np.asarray(n["inputs"][0], np.float64)  # [v, t, c]
    joints, frames, channels = x.shape
    w, u = (
        {name: np.asarray(value, np.float64) for name, value in each.items()}
        for each in (of_joints, of_frames)
    )
    first = [[sum(x[i, t, c] * w["along"][t] * w["across"][c, s] for t in range(frames) for c in range(channels))
             for s in range(frames)] for i in range(joints)]  # fmt: skip
    second = [
        [sum(w["channels"][c] * x[j, s, c] for c in range(channels)) for s in range(frames)]
        for j in range(joints)
    ]
    sigma = np.array([[1 / (1 + np.exp(-(np.dot(first[i], second[j]) + w["bias"][i, j]))) for j in range(joints)]
                      for i in range(joints)])  # fmt: skip
    expected = np.array([softmax(row) for row in w["matrix"] @ sigma])
    ours = spatial_attention(n["inputs"], of_joints)
    np.testing.assert_allclose(ours[0].T, expected, atol=1e-6)
    np.testing.assert_allclose(ours.sum(1), 1.0, rtol=1e-6)

    first = [[sum(x[i, t, c] * u["along"][i] * u["across"][c, j] for i in range(joints) for c in range(channels))
             for j in range(joints)] for t in range(frames)]  # fmt: skip
    second = [
        [sum(u["channels"][c] * x[j, s, c] for c in range(channels)) for j in range(joints)]
        for s in range(frames)
    ]
    sigma = np.array([[1 / (1 + np.exp(-(np.dot(first[t], second[s]) + u["bias"][t, s]))) for s in range(frames)]
                      for t in range(frames)])  # fmt: skip
    expected = np.array([softmax(row) for row in u["matrix"] @ sigma])
    ours = temporal_attention(n["inputs"], of_frames)
    np.testing.assert_allclose(ours[0], expected, atol=1e-6)
    np.testing.assert_allclose(ours.sum(2), 1.0, rtol=1e-6)
    mixed = jax.jit(attention.mix_frames)(n["inputs"], ours)[0]
    np.testing.assert_allclose(
        mixed, [[sum(expected[t, s] * x[v, t] for t in range(frames)) for s in range(frames)] for v in range(joints)],
        atol=1e-5,
    )  # fmt: skip


@pytest.mark.parametrize("attended", ["graph", "scores"])
def test_the_graph_convolution_takes_the_mixed_frames_and_its_scores_the_plain_ones_or_the_other_way(
    attended,
):
    """Equation 9 with its parts in their places: y = sum_k (A_k o S') (X E') W_k, S' of X."""
    n, joints, frames = public()
    x, kernel, parts = n["inputs"], np.asarray(n["kernel5"]), np.asarray(n["polynomials"])
    mixed = jax.jit(attention.mix_frames)(x, temporal_attention(x, frames))
    convolved, scored = (mixed, x) if attended == "graph" else (x, mixed)
    spatial = np.asarray(spatial_attention(scored, joints))
    expected = sum(
        np.einsum("vw,nvw,nvtc,cd->nwtd", parts[k], spatial, np.asarray(convolved), kernel[:, k])
        for k in range(len(parts))
    )
    alone = np.einsum("kvw,nvtc,ckd->nwtd", parts, np.asarray(convolved), kernel)
    weights = {"adjacency": n["polynomials"], "kernel": n["kernel5"]}

    @jax.jit
    def both(x, weights, joints, frames):
        mixed = attention.mix_frames(x, attention.temporal_attention(x, frames, "j"))
        inputs = {"convolved": x, "scored": mixed}
        if attended == "graph":
            inputs = {"convolved": mixed, "scored": x}
        convolve = functools.partial(attention_unit._convolve, inputs, axis="j")
        return convolve(weights | {"spatial": joints}), convolve(weights)

    for form in NAMES:
        weighted, plain = run_in(form, both, x, weights, joints, frames)
        np.testing.assert_allclose(weighted, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(plain, alone, rtol=1e-4, atol=1e-5)


def test_the_planned_mixing_has_the_gradients_of_the_plain_one():
    n, _, frames = public()
    e = temporal_attention(n["inputs"], frames)
    gradients = [
        jax.jit(jax.grad(lambda x, e: jnp.sum(jnp.sin(mix(x, e))), (0, 1)))(n["inputs"], e)  # noqa: B023
        for mix in (attention.direct_mix_frames, attention.planned_mix_frames)
    ]
    for plain, planned in zip(*gradients, strict=True):
        np.testing.assert_allclose(planned, plain, rtol=1e-4, atol=1e-6)


def test_chebyshev_polynomials_are_cosines_of_multiples_of_the_spectrum():
    for name in ("kinect-15", "ntu-25", "openpose-18"):
        parts = skeletons.chebyshev(skeletons.get_layout(name), 5).astype(np.float64)
        values, vectors = np.linalg.eigh(parts[1])
        angles = np.arccos(np.clip(values, -1, 1))
        assert values[-1] == pytest.approx(1, abs=1e-6) and values[0] == pytest.approx(-1, abs=1e-6)
        for order, part in enumerate(parts):
            np.testing.assert_allclose(
                part, (vectors * np.cos(order * angles)) @ vectors.T, atol=1e-5
            )


SIZES = {  # jaxact/models/stagcn.py with ten units: joints' attention, frames', both; and with the spatial network
    ("ntu-25", 60, 60): (3_148_031, 3_171_796, 3_197_637, 3_339_032),
    ("ntu-25", 60, 300): (3_288_671, 4_186_996, 4_353_477, 4_494_872),
    ("openpose-18", 400, 60): (3_220_319, 3_241_949, 3_270_800, 3_434_253),
    ("openpose-18", 400, 300): (3_360_959, 4_257_149, 4_426_640, 4_590_093),
}


def arrays(model, example):
    """Numbers of each array, by its path."""
    made = jax.eval_shape(model.init, jax.random.key(0), example)["params"]
    return {path: array.size for path, array in flatten_dict(made).items()}


def without(sizes, *beginnings):
    """Those of which no part of the path has one of these beginnings."""
    return {
        path: size
        for path, size in sizes.items()
        if not any(part.startswith(beginnings) for part in path)
    }


PARTITION = {"gate": "none", "edge_importance": True, "bias": True}
GATED = ("attention_network", "auxiliary")


QUICK = (("ntu-25", 60, 60), ("openpose-18", 400, 300))  # both layouts, both lengths


@pytest.mark.parametrize(
    ("case", "sizes"),
    [
        pytest.param(*item, marks=() if item[0] in QUICK else pytest.mark.slow)
        for item in SIZES.items()
    ],
)
def test_it_has_the_papers_number_of_parameters(case, sizes):
    """The first three are counted in the networks that hold them and more, see the next test."""
    layout, classes, frames = skeletons.get_layout(case[0]), *case[1:]
    example = jnp.zeros((1, frames, 1, len(layout.joints), 3))
    partition, polynomials = skeletons.adjacency(layout), skeletons.chebyshev(layout)
    build = functools.partial(stagcn.STAGCN, classes, segments=1, kept=1)
    both = arrays(build(adjacency=Adjacency(partition), **PARTITION), example)
    gated = arrays(build(adjacency=Adjacency(polynomials), gate="own"), example)
    counted = without(both, "frames_"), without(both, "joints_"), without(gated, *GATED), gated
    assert tuple(sum(each.values()) for each in counted) == sizes


def test_each_option_has_the_parameters_of_its_name_and_no_others():
    both = arrays(build(**PARTITION), clips())
    assert (
        arrays(build(**PARTITION, attention="spatial"), clips()) == without(both, "frames_") != both
    )
    assert (
        arrays(build(**PARTITION, attention="temporal"), clips())
        == without(both, "joints_")
        != both
    )
    gated = arrays(build(gate="own"), clips())
    assert arrays(build(gate="none"), clips()) == without(gated, *GATED) != gated


@pytest.mark.parametrize("gate", ["own", pytest.param("shared", marks=pytest.mark.slow)])
def test_both_formulations_agree_and_a_gate_is_between_zero_and_one(gate):
    network = {"own": "one", "shared": "three"}[gate]
    model = build(gate=gate, network=network)
    variables = random_variables(model, clips())
    apply = jax.jit(functools.partial(model.apply, mutable=["intermediates"]))
    cpu, sown = run_in("cpu", apply, variables, clips())
    direct, _ = run_in("direct", apply, variables, clips())
    for name in ("logits", "segments", "auxiliary"):
        np.testing.assert_allclose(cpu[name], direct[name], rtol=1e-4, atol=1e-5)
    assert cpu["logits"].shape == (3, 5)
    assert cpu["segments"].shape == cpu["auxiliary"].shape == (3, 5, 5)
    (actual,) = sown["intermediates"]["gate"]
    assert actual.shape == (3, 10, 2, 5) and 0 < actual.min() < actual.max() < 1


@pytest.mark.slow
def test_people_may_change_places():
    model = build(segments=2, kept=2)
    variables = random_variables(model, clips())
    run = jax.jit(model.apply)
    np.testing.assert_allclose(
        run(variables, clips())["logits"],
        run(variables, clips()[:, :, ::-1])["logits"],
        rtol=1e-4,
        atol=1e-5,
    )


def test_the_spatial_network_never_looks_ahead():
    adjacency = Adjacency(skeletons.adjacency(LEGS))
    network = spatial_attention_net.SpatialNetwork(
        adjacency, width=4, initial="he_fan_out", axis_name=None
    )
    x = clips(frames=30, persons=1, batch=1)
    variables = random_variables(network, x)
    run = jax.jit(network.apply)
    features, gate = run(variables, x)
    later, later_gate = run(variables, x.at[:, 20:].add(1.0))
    np.testing.assert_array_equal(features[:, :, :20], later[:, :, :20])
    np.testing.assert_array_equal(gate[:, :, :20], later_gate[:, :, :20])
    assert np.all(np.any(features[:, :, 20:] != later[:, :, 20:], axis=(0, 1, 3)))
    earlier, _ = run(variables, x.at[:, 0].add(1.0))
    reach = np.flatnonzero(np.any(features != earlier, axis=(0, 1, 3)))
    assert reach.tolist() == list(range(25))  # three units, eight frames each


LOGITS = jnp.asarray(np.random.default_rng(1).normal(scale=2.0, size=(4, 5, 3)), jnp.float32)


def test_averaged_segments_are_their_mean_probability():
    mean = np.log(np.asarray(jax.nn.softmax(LOGITS)).mean(1))
    np.testing.assert_allclose(segment_fusion.fuse_segments(LOGITS), mean, rtol=1e-5)
    one = segment_fusion.fuse_segments(LOGITS[:, :1], kept=1)
    np.testing.assert_array_equal(one, LOGITS[:, 0])


def test_confident_segments_are_weighted_by_their_confidence():
    p = np.asarray(jax.nn.softmax(LOGITS), np.float64)
    for row, actual in zip(p, segment_fusion.fuse_segments(LOGITS, kept=2), strict=True):
        confidence = row.max(1)
        best = np.argsort(-confidence)[:2]
        np.testing.assert_allclose(
            np.exp(actual),
            (confidence[best, None] * row[best]).sum(0) / confidence[best].sum(),
            rtol=1e-5,
        )
    alike = jnp.repeat(LOGITS[:, :1], 5, axis=1)  # all equally sure: the plain mean
    np.testing.assert_allclose(
        segment_fusion.fuse_segments(alike, kept=5),
        segment_fusion.fuse_segments(alike),
        rtol=1e-5,
        atol=1e-6,
    )


def test_each_confidence_is_one_for_certainty_and_smallest_for_a_tie():
    ladder = jnp.asarray([[[0.0, 0, 0], [2, 0, 0], [60, 0, 0]]])
    for kind, least in (("max", 1 / 3), ("entropy", 0.0), ("margin", 0.0)):
        actual = segment_fusion.confidences(ladder, kind)[0]
        assert actual[0] == pytest.approx(least, abs=1e-6) and actual[2] == pytest.approx(1.0)
        assert actual[0] < actual[1] < actual[2]
    p = np.asarray(jax.nn.softmax(ladder[0, 1]), np.float64)
    assert segment_fusion.confidences(ladder, "entropy")[0, 1] == pytest.approx(
        1 + (p * np.log(p)).sum() / np.log(3)
    )
    assert segment_fusion.confidences(ladder, "margin")[0, 1] == pytest.approx(p[0] - p[1])


@pytest.mark.slow
def test_a_toy_is_learned_by_heart_and_every_weight_takes_part():
    model, targets = build(segments=2, kept=0, dropout=0.0, initial="he_fan_out"), jnp.arange(3)
    tx = optim.optimizer(lambda count: 0.02, name="adamw", weight_decay=0.0)
    start = state.create(model, jax.ShapeDtypeStruct((1, 10, 2, 5, 3), jnp.float32), tx, seed=0)
    batch, loss = (
        {"inputs": clips(), "targets": targets},
        functools.partial(losses.segment_loss, auxiliary=0.5),
    )
    update = jax.jit(
        lambda s: train_step.train_step(s, batch, apply=model.apply, loss=loss, tx=tx, seed=0)
    )
    current, _ = update(start)
    moved = flatten_dict(
        jax.tree.map(lambda a, b: bool(np.any(a != b)), start.params, current.params), sep="/"
    )
    still = {
        path for path, was in moved.items() if not was
    }  # what a normalisation that follows takes out again
    assert still == {path for path in moved if path.endswith(("temporal_bias", "shortcut_bias"))}
    for _ in range(70):
        current, sums = update(current)
    assert sums["correct"] == 3 and sums["loss"] / 3 < 0.1


def slopes(model):
    """The largest part of the gradient of each parameter, by its path."""
    variables = random_variables(model, clips())

    @jax.jit
    @jax.grad
    def slope(params):
        outputs = model.apply({**variables, "params": params}, clips())
        return jnp.sum(losses.segment_loss(outputs, jnp.arange(3), auxiliary=0.5))

    grads = flatten_dict(slope(variables["params"]), sep="/")
    return {path: float(np.max(np.abs(grad))) for path, grad in grads.items()}


def test_the_loss_reaches_every_weight():
    assert min(slopes(build(network="one", segments=2, kept=0)).values()) > 0


@pytest.mark.slow
def test_attention_over_frames_alone_learns():
    largest = slopes(build(network="one", attention="temporal", gate="none", segments=2, kept=0))
    actual = [slope for path, slope in largest.items() if "/frames_" in path]
    assert len(actual) == 5 and min(actual) > 0


@pytest.mark.slow
def test_it_is_exported_with_a_free_batch():
    model = build(network="one", segments=2, kept=1)
    variables = random_variables(model, clips())
    run = jax.jit(lambda x: model.apply(variables, x)["logits"])
    shape = jax.ShapeDtypeStruct(export.symbolic_shape("n, 10, 2, 5, 3"), jnp.float32)
    exported = run_in("direct", export.export(run), shape)
    actual = exported.call(clips(batch=4))
    np.testing.assert_allclose(actual, run(clips(batch=4)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("attention", ["spatial", "temporal"])
def test_clips_of_another_length_than_the_trained_one_are_one_sentence(attention):
    model = build(segments=2, kept=1, attention=attention)
    variables = jax.eval_shape(model.init, jax.random.key(0), clips())
    with pytest.raises(
        UserError, match=r"attention is made for clips of 10 frames; got 20. Wanted the clip.frames"
    ):
        jax.eval_shape(model.apply, variables, clips(frames=20))


@pytest.mark.parametrize("options", [{"segments": 3}, {"segments": 20}, {"segments": 2, "kept": 3}])
def test_clips_that_cannot_be_cut_are_one_sentence(options):
    message = f"cuts clips into {options['segments']} segments .* got clips of 10 frames. Wanted a multiple of the segments"
    with pytest.raises(UserError, match=message):
        jax.eval_shape(build(**options).init, jax.random.key(0), clips())
