"""STA-GCN: its attention against loops and public ASTGCN, its sizes, its segments, and what every
network keeps.
"""

import functools

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
from jaxact.models.layers.adjacency import Adjacency
from jaxact.runs import state
from jaxact.training import optim, train_step
from tests.helpers.formulations import run_in
from tests.helpers.random_weights import LEGS, random_array, random_variables

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


# Ten units with attention over joints, over frames, over both; and with the spatial network too.
SIZES = {
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


@pytest.mark.slow
@pytest.mark.parametrize("gate", ["own", "shared"])
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


@pytest.mark.slow
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
    message = (
        f"cuts clips into {options['segments']} segments .* got clips of 10 frames. "
        "Wanted a multiple of the segments"
    )
    with pytest.raises(UserError, match=message):
        jax.eval_shape(build(**options).init, jax.random.key(0), clips())
