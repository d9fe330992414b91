"""STA-GCN's spatial attention network alone: its displacements by a loop, and its way from a first
run into a second.

That it never looks ahead is tested with the classifier.
"""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from jaxact import config, export
from jaxact.config.losses import loss_section
from jaxact.errors import UserError
from jaxact.evaluation import classification
from jaxact.losses.displacement import displacement_loss
from jaxact.models import spatial_attention_net, stgcn
from jaxact.models.layers.adjacency import Adjacency
from jaxact.runs import state, trained_model
from jaxact.skeletons.layout import Layout
from jaxact.training import data_source, loop
from tests.helpers import toys
from tests.helpers.random_weights import random_variables

LAYOUT = Layout(
    "limb",
    ("hip", "knee", "foot", "toe"),
    ((1, 0), (2, 1), (3, 2)),
    ((0, 0), (1, 0), (2, 1), (3, 2)),
    0,
)


@pytest.fixture(scope="module", autouse=True)
def quick():
    """A classifier of one unit beside the attention network, or of three where it shares them; no
    compiled `init`.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(stgcn.VARIANTS, "stem9", (("stem", 1, 1),))
        patch.setitem(
            stgcn.VARIANTS, "literal9", (("unit1", 1, 1), ("unit2", 1, 1), ("unit3", 1, 1))
        )
        patch.setattr(
            state, "init", lambda model, example, seed: random_variables(model, example, seed=seed)
        )
        yield


def toy_run(model, **overrides) -> config.TrainConfig:
    """A run on 32 clips of four frames of one person with four joints: four steps an epoch."""
    run = toys.run_config(devices=1, clip__frames=4, clip__persons=1, **overrides)
    run.model, run.loss = model, loss_section(model.name)()
    return run


def toy_source(run: config.TrainConfig) -> data_source.DataSource:
    def clips(count, seed):
        random = np.random.default_rng(seed)
        targets = random.integers(0, len(toys.LABELS), count).astype(np.int32)
        return random.standard_normal((count, 4, 1, 4, 3)).astype(np.float32), targets

    return data_source.from_arrays(
        run, clips(32, 0), clips(13, 1), labels=toys.LABELS, layout=LAYOUT, channels=toys.CHANNELS
    )


def places(dims: int, score: bool) -> np.ndarray:
    """Two clips of five frames in which joint 2 is missing in frame 3, and the second clip has no
    second person.
    """
    x = np.random.default_rng(4).uniform(0.1, 1.0, (2, 5, 2, 4, dims + score)).astype(np.float32)
    x[:, 3, :, 2] = 0
    x[1, :, 1] = 0
    return x


@pytest.mark.parametrize(("dims", "score"), [(3, False), (2, True)])
def test_displacements_are_differences_of_frames_that_both_show_the_joint(dims, score):
    x = places(dims, score)
    change, confidence = spatial_attention_net.displacements(jnp.asarray(x), dims, score)
    for at in np.ndindex(2, 5, 2, 4):
        clip, t, person, joint = at
        current, following = x[at], np.zeros(dims + score)
        if t < 4:
            following = x[clip, t + 1, person, joint]
        both = current.any() and following.any()
        difference = following[:dims] - current[:dims] if both else 0
        np.testing.assert_allclose(change[at], difference, atol=1e-7)
        expected = float(both)
        if score:
            expected = min(current[-1], following[-1])
        assert confidence[at] == expected


def test_the_loss_is_the_smooth_l1_weighted_by_confidence():
    random = np.random.default_rng(0)
    predicted, true = random.normal(scale=1.5, size=(2, 3, 4, 2, 1, 2)).astype(np.float32)
    confidence = random.uniform(size=(3, 4, 2, 1)).astype(np.float32)
    confidence[2] = 0
    actual = displacement_loss(
        {
            "predicted": jnp.asarray(predicted),
            "displacement": jnp.asarray(true),
            "confidence": jnp.asarray(confidence),
        },
        jnp.zeros(3, jnp.int32),
    )
    for clip in range(2):
        total = weight = 0.0
        for at in np.ndindex(4, 2, 1):
            error = np.abs(predicted[clip][at] - true[clip][at]).astype(np.float64)
            total += confidence[clip][at] * np.where(error < 1, error**2 / 2, error - 0.5).mean()
            weight += confidence[clip][at]
        assert actual[clip] == pytest.approx(total / weight, rel=1e-5)
    assert actual[2] == 0


def test_the_prediction_passes_the_gate_and_targets_have_unit_deviation_in_training():
    graph = Adjacency(np.eye(4, dtype=np.float32)[None])
    network = spatial_attention_net.DisplacementNetwork(
        dims=3, score=False, adjacency=graph, width=4, initial="he_fan_out"
    )
    alone = spatial_attention_net.SpatialNetwork(
        graph, width=4, initial="he_fan_out", axis_name=None
    )
    x = jnp.asarray(places(3, False))
    variables = random_variables(network, x)

    @jax.jit
    def both(variables, x):
        trained_on = network.apply(
            variables, x, train=True, mutable=["batch_stats", "intermediates"]
        )
        inner = {name: tree["attention_network"] for name, tree in variables.items()}
        return *trained_on, *alone.apply(inner, x, True, mutable=["batch_stats"])[0]

    outputs, moved, features, gate = both(variables, x)
    readout = {name: np.asarray(value) for name, value in variables["params"]["readout"].items()}
    expected = (
        np.asarray(gate) * (np.asarray(features) @ readout["kernel"] + readout["bias"])
    ).reshape(2, 2, 4, 5, 3)
    np.testing.assert_allclose(
        outputs["predicted"], expected.transpose(0, 3, 1, 2, 4), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(
        moved["intermediates"]["gate"][0],
        np.asarray(gate).reshape(2, 2, 4, 5).transpose(0, 3, 1, 2),
        rtol=1e-4,
    )
    recorded = np.asarray(outputs["displacement"])[np.asarray(outputs["confidence"]) > 0]
    assert (recorded**2).mean() == pytest.approx(1.0, rel=1e-5)
    raw = np.asarray(spatial_attention_net.displacements(x, 3, False)[0])
    assert moved["batch_stats"]["displacement_var"] == pytest.approx(
        0.9 * float(variables["batch_stats"]["displacement_var"])
        + 0.1 * (raw**2).sum() / recorded.size,
        rel=1e-5,
    )


def classifier(**overrides) -> config.TrainConfig:
    """A run of the classifier whose units have no attention, so that little is compiled beside its
    gate.
    """
    model = config.STAGCNConfig(width=4, attention="none", segments=2, kept=1, dropout=0.0)
    run = toy_run(model)
    for name, value in ({"epochs": 1} | overrides).items():
        config.override(run, name.replace("__", "."), str(value))
    return run


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """A run of two epochs, in two micro-batches a step."""
    run = toy_run(config.DisplacementConfig(width=4), epochs=2, optim__accumulate=2)
    workdir = tmp_path_factory.mktemp("pretrained")
    outcome = loop.run(run, workdir, toy_source(run))
    assert (
        outcome.step == 8
        and set(outcome.metrics or ()) == {"loss", "count"}
        and outcome.metrics["count"] == 13
    )
    return workdir


@pytest.mark.slow
def test_a_first_run_says_its_loss_and_no_accuracy(pretrained):
    actual = toys.lines(pretrained)
    assert all("train_top1" not in line and "eval_top1" not in line for line in actual)
    assert [line["eval_count"] for line in actual if "eval_loss" in line] == [13, 13]
    assert trained_model.load(pretrained, how="best", classifier=False).step in (4, 8)


@pytest.mark.slow
def test_the_classifier_begins_with_the_weights_of_the_first_run(pretrained, tmp_path, monkeypatch):
    initial = []

    def stopped(config, source, state, **rest):
        initial.append(state)
        return loop.TrainResult(0, True, None)

    monkeypatch.setattr(loop, "_train", stopped)
    run = classifier(init_from=pretrained, optim__ema=0.9)
    loop.run(run, tmp_path, toy_source(run))
    first, (state,) = trained_model.load(pretrained, classifier=False).weights, initial
    for kind in ("params", "batch_stats"):
        expected = flatten_dict(first[kind]["attention_network"])
        for tree in (state.params, state.ema) if kind == "params" else (state.batch_stats,):
            actual = flatten_dict(tree["attention_network"])
            assert actual.keys() == expected.keys()
            assert all(np.array_equal(actual[path], expected[path]) for path in expected)


def count_only(monkeypatch):
    """A run whose steps and scores compute nothing, so that nothing is compiled for them."""
    values = {"loss": 1.0, "count": 8.0, "correct": 4.0, "grad_norm": 1.0}
    sums = {name: jnp.asarray(value) for name, value in values.items()}
    monkeypatch.setattr(
        loop,
        "_compiled_step",
        lambda *_: lambda current, batch: (current.replace(step=current.step + 1), sums),
    )
    monkeypatch.setattr(
        classification,
        "compile_scorer",
        lambda *_: (
            lambda weights, batch: {
                "logits": np.zeros((len(batch["mask"]), 4), np.float32),
                **batch,
            }
        ),
    )


@pytest.mark.slow
@pytest.mark.parametrize("computed", [False, True])
def test_a_run_goes_on_from_a_first_one_and_is_resumed_as_itself(
    pretrained, tmp_path, monkeypatch, computed
):
    if not computed:
        count_only(monkeypatch)
    run = classifier(init_from=pretrained)
    assert loop.run(run, tmp_path, toy_source(run)).step == 4
    second = classifier(init_from=pretrained, epochs=2)
    assert loop.run(second, tmp_path, toy_source(second)).step == 8
    with pytest.raises(UserError, match=r"other options .*init_from"):
        loop.run(classifier(epochs=2), tmp_path, toy_source(run))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"model__gate": "shared", "model__network": "literal9"},
            r"no module in common with this one: it has attention_network, readout; wanted",
        ),
        (
            {"model__width": 8},
            r"module 'attention_network' of the network in '.*' has other shapes than this one's",
        ),
        ({"init_from": "nowhere"}, r"no checkpoints in 'nowhere'"),
    ],
)
def test_weights_that_do_not_fit_are_refused(pretrained, tmp_path, options, told):
    run = classifier(**({"init_from": pretrained} | options))
    with pytest.raises(UserError, match=told):
        loop.run(run, tmp_path / "run", toy_source(run))


@pytest.mark.slow
def test_a_network_without_classes_is_neither_scored_nor_exported(pretrained, tmp_path):
    for refuse in (
        lambda: classification.run(pretrained, out=tmp_path / "out"),
        lambda: export.run(pretrained, out=tmp_path / "out"),
    ):
        with pytest.raises(
            UserError,
            match=r"'displacement', which gives no classes; train a classifier from it with",
        ):
            refuse()
    assert not (tmp_path / "out").exists()


def test_options_of_test_time_change_the_network_and_what_the_report_says():
    net = trained_model.TrainedModel(
        model=_segments(), weights={}, config=classifier(), layout=toys.LAYOUT, labels=toys.LABELS,
        channels=toys.CHANNELS, step=1, selection="",
    )  # fmt: skip
    other = trained_model.with_options(net, {"model.kept": 0, "model.confidence": "margin"})
    assert (other.model.kept, other.model.confidence) == (0, "margin")
    assert json.loads(json.dumps(classification.provenance(other)["model"]))["kept"] == 0
    assert trained_model.with_options(net, {"model.kept": None, "model.confidence": None}) == net
    assert (net.model.kept, net.config.model.kept) == (1, 1)
    with pytest.raises(UserError, match=r"unknown value of config.model.confidence 'sure'"):
        trained_model.with_options(net, {"model.confidence": "sure"})
    plain = dataclasses.replace(net, config=toys.run_config())
    with pytest.raises(UserError, match=r"config.model.kept: no 'kept'"):
        trained_model.with_options(plain, {"model.kept": 1})


def _segments():
    meta = trained_model.RunMetadata(classifier(), toys.LAYOUT, toys.LABELS, toys.CHANNELS)
    return trained_model.build(meta)
