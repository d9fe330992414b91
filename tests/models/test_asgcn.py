"""AS-GCN: both heads against slow loops, inference that is deterministic, sizes, a toy by heart."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import export

from jaxact import models, skeletons
from jaxact.errors import UserError
from jaxact.losses import classification as losses
from jaxact.models import asgcn, asgcn_pose_head, stgcn
from jaxact.models.asgcn_unit import ASGCNUnit
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.formulation import formulation
from jaxact.runs import state
from jaxact.skeletons.layout import Layout
from jaxact.training import train_step
from tests.helpers.random_weights import LEGS, filled, random_array

SHORT = (("unit1", 2, 2),)


@pytest.fixture(autouse=True)
def short(request, monkeypatch):
    """Networks of one unit and a short way to the poses, but where the test is about the whole."""
    if "whole" not in request.node.name:
        monkeypatch.setitem(stgcn.VARIANTS, "literal9", SHORT)
        monkeypatch.setattr(asgcn_pose_head, "POSE_UNITS", asgcn_pose_head.POSE_UNITS[-1:])


@pytest.fixture(scope="module", autouse=True)
def direct():
    """Networks in the direct formulation, which is traced and compiled faster."""
    with formulation("direct"):
        yield


def build(layout=LEGS, classes=5, axis_name=None, **options):
    if not isinstance(layout, Layout):
        layout = skeletons.get_layout(layout)
    return models.build(
        "asgcn",
        InputSpec(
            layout=layout, num_classes=classes, channels=("x", "y", "z"), axis_name=axis_name
        ),
        **options,
    )


def small(**options):
    sizes = {
        "width": 6,
        "link_width": 5,
        "link_frames": 4,
        "horizon": 2,
        "order": 2,
        "dropout": 0.5,
    }
    return build(**{**sizes, "link_weight": 1e-4, "pose_weight": 0.5, **options})


def clips(frames=9, persons=2, batch=3):
    return random_array(batch, frames, persons, 5, 3, seed=3)


@functools.cache
def variables():
    return filled(jax.eval_shape(small().init, jax.random.key(0), clips()))


@functools.cache
def compiled(model):
    """A pass in evaluation that gives what is sown too."""
    return jax.jit(functools.partial(model.apply, mutable=["intermediates"]))


def observed(model, given, inputs):
    """Outputs of a pass in evaluation, and what is sown in it."""
    outputs, sown = compiled(model)(given, inputs)
    return outputs, {name: value[0] for name, value in sown["intermediates"].items()}


@functools.cache
def seen():
    return observed(small(), variables(), clips())


@pytest.mark.slow
def test_the_penalty_adds_up_the_losses_of_persons_that_are_there():
    """By hand, from the poses, and the inference module's alone; a person without joints counts for
    nothing.
    """
    inputs = np.array(clips())
    inputs[0, :, 1] = 0
    inputs[1, -1, 0, 4] = (
        0  # a joint that is missing in a predicted frame, and one in the last that is seen
    )
    inputs[2, 6, 1, 3] = 0
    outputs, sown = observed(small(), variables(), jnp.asarray(inputs))
    poses = np.zeros((3, 2))
    for clip, person in np.ndindex(3, 2):
        errors = [
            np.mean((sown["predicted"][clip, s, person, v] - inputs[clip, 7 + s, person, v]) ** 2)
            for s in range(2)
            for v in range(5)
            if inputs[clip, 7 + s, person, v].any() and inputs[clip, 6, person, v].any()
        ]
        poses[clip, person] = np.mean(errors) if errors else np.nan
    module, picked = small(), [0, 1, 3, 5]  # 4 of 7 frames
    people = np.swapaxes(inputs, 1, 2).reshape(6, 9, 5, 3)[:, picked]
    inference = asgcn.LinkInference(
        2, 5, 0.5, module.temperature, module.empty, module.variance, None
    )
    weights = {kind: variables()[kind]["inference"] for kind in variables()}
    run = jax.jit(functools.partial(inference.apply, decode=True))
    links = np.array(run(weights, jnp.asarray(people))[1]).reshape(3, 2)
    losses = 0.5 * poses + 1e-4 * links
    assert 0.1 < np.nanmean(poses) / (2e-4 * np.mean(links)) < 10  # neither hides the other
    np.testing.assert_allclose(outputs["penalty"], [losses[0, 0], *losses[1:].mean(1)], rtol=1e-4)


@pytest.mark.slow
def test_evaluation_gives_logits_alone_and_the_same_every_time():
    apply = jax.jit(small().apply)
    assert set(apply(variables(), clips())) == {"logits"}
    np.testing.assert_allclose(
        apply(variables(), clips())["logits"], seen()[0]["logits"], rtol=1e-5, atol=1e-6
    )


@pytest.mark.slow
def test_the_frames_that_are_predicted_are_not_seen():
    other = clips().at[:, 7:].multiply(-2.0)
    outputs, sown = observed(small(), variables(), other)
    np.testing.assert_array_equal(outputs["logits"], seen()[0]["logits"])
    for name in ("links", "predicted"):
        np.testing.assert_array_equal(sown[name], seen()[1][name])
    assert np.all(outputs["penalty"] != seen()[0]["penalty"])
    assert np.any(
        observed(small(), variables(), clips().at[:, 6].multiply(-2.0))[0]["logits"]
        != outputs["logits"]
    )


def test_a_pose_is_the_last_one_and_a_step_in_each_coordinate():
    """Steps that are nothing but their own constants, one for each frame and coordinate."""
    weights = jax.tree.map(lambda leaf: leaf, variables())
    steps = dict(weights["params"]["poses"]["steps"])
    constants = np.arange(6.0, dtype=np.float32)
    steps["temporal_norm"] = {"scale": jnp.zeros(6), "bias": jnp.asarray(constants)}
    weights = {
        **weights,
        "params": {**weights["params"], "poses": {**weights["params"]["poses"], "steps": steps}},
    }
    actual = observed(small(), weights, clips())[1]["predicted"]
    expected = clips()[:, 6:7] + constants.reshape(1, 2, 1, 1, 3)
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_links_are_sown_source_by_target_and_sum_to_one():
    links = seen()[1]["links"]
    assert links.shape == (3, 2, 2, 5, 5)
    np.testing.assert_allclose(links.sum(3), 1, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("detached", [False, True])
def test_the_classifiers_loss_reaches_the_inference_module_unless_it_is_detached(detached):
    model = small(detached=detached, dropout=0.0)

    @jax.jit
    @jax.grad
    def slope(inference):
        weights = {**variables(), "params": {**variables()["params"], "inference": inference}}
        rngs = {"dropout": jax.random.key(0)}
        outputs, _ = model.apply(weights, clips(), train=True, mutable=["batch_stats"], rngs=rngs)
        return jnp.sum(outputs["logits"] ** 2)

    encoder = slope(variables()["params"]["inference"])["encoder"]
    reached = [bool(np.any(leaf != 0)) for leaf in jax.tree.leaves(encoder) if leaf.ndim > 1]
    assert not any(reached) if detached else all(reached)


@functools.cache
def trained(**options):
    """Outputs and statistics of a training pass, as a function of the seed."""
    model = small(**options)
    return jax.jit(
        lambda seed: model.apply(
            variables(),
            clips(),
            train=True,
            mutable=["batch_stats"],
            rngs={"dropout": jax.random.key(seed)},
        )
    )


@pytest.mark.slow
def test_training_draws_links_and_moves_every_running_statistic():
    outputs, new = trained(dropout=0.0)(0)
    moved = jax.tree.map(
        lambda a, b: bool(np.any(a != b)), variables()["batch_stats"], new["batch_stats"]
    )
    assert all(jax.tree.leaves(moved)) and set(outputs) == {"logits", "penalty"}
    second, other = trained(dropout=0.0)(0)[0], trained(dropout=0.0)(1)[0]
    for name in outputs:
        np.testing.assert_array_equal(outputs[name], second[name])
        assert np.all(outputs[name] != other[name])


@pytest.mark.slow
def test_mapped_devices_share_batch_statistics():
    """Of the input and of the encoder; what comes after it depends on draws, which each device has
    its own.
    """
    model = small(dropout=0.0, axis_name="data")

    def statistics(x):
        rngs = {"dropout": jax.random.key(0)}
        new = model.apply(variables(), x, train=True, mutable=["batch_stats"], rngs=rngs)[1][
            "batch_stats"
        ]
        return new["data_norm"], new["inference"]["encoder"]

    expected = trained(dropout=0.0)(0)[1]["batch_stats"]
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a[0], b, rtol=1e-3, atol=1e-5),
        jax.pmap(statistics, "data")(clips()[:, None]),
        (expected["data_norm"], expected["inference"]["encoder"]),
    )


def test_the_order_of_persons_does_not_matter():
    turned = observed(small(), variables(), clips()[:, :, ::-1])[0]
    for name in ("logits", "penalty"):
        np.testing.assert_allclose(turned[name], seen()[0][name], rtol=1e-4, atol=1e-5)


def test_persons_are_free_at_run_time_and_frames_are_where_nothing_is_predicted():
    assert jax.eval_shape(small().apply, variables(), clips(persons=1))["logits"].shape == (3, 5)
    model = small(horizon=0)
    start = jax.eval_shape(model.init, jax.random.key(0), clips())
    assert "poses" not in start["params"]
    assert jax.eval_shape(model.apply, start, clips(frames=40))["logits"].shape == (3, 5)


@pytest.mark.slow
@pytest.mark.parametrize(("horizon", "axes"), [(2, "n, 9, 2, 5, 3"), (0, "n, t, 2, 5, 3")])
def test_it_is_exported_with_free_batch_and_without_poses_with_free_length(horizon, axes):
    model = small(horizon=horizon)
    weights = {
        kind: {name: value for name, value in tree.items() if horizon or name != "poses"}
        for kind, tree in variables().items()
    }
    shape = jax.ShapeDtypeStruct(export.symbolic_shape(axes), jnp.float32)
    evaluate = jax.jit(lambda x: model.apply(weights, x)["logits"])
    exported = export.export(evaluate)(shape)
    inputs = clips(9 if horizon else 14)
    expected = evaluate(inputs)
    np.testing.assert_allclose(exported.call(inputs), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_bfloat16_computes_near_float32_with_float32_state():
    exact, rounded = trained(dropout=0.0)(0), trained(dropout=0.0, dtype="bfloat16")(0)
    assert {leaf.dtype for leaf in jax.tree.leaves(rounded)} == {jnp.dtype("float32")}
    assert (
        0
        < np.abs(exact[0]["logits"] - rounded[0]["logits"]).max()
        < 0.3 * np.abs(exact[0]["logits"]).max()
    )


@pytest.mark.parametrize(
    ("layout", "classes", "frames", "expected"),
    [
        pytest.param("ntu-25", 60, 300, 7_344_618, marks=pytest.mark.slow),
        ("openpose-18", 400, 64, 7_323_076),
    ],
)
def test_the_whole_network_has_the_parameters_of_the_released_one_that_are_used(
    layout, classes, frames, expected
):
    """The released code has 6 987 478 and 417 798: 7 344 618 and, used by nothing, two units'
    importance and a type.
    """
    joints = len(skeletons.get_layout(layout).joints)
    model = build(layout, classes)
    shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, frames, 2, joints, 3)))[
        "params"
    ]

    def unit(enter, leave, taps, shortcut):
        graph = 11 * (enter + 1) * leave + 9 * joints**2
        time = (taps * leave + 1) * leave + 4 * leave
        return graph + time + (((enter + 1) * leave + 2 * leave) if shortcut else 0)

    widths = (64, 64, 64, 128, 128, 128, 256, 256, 256)
    units = sum(
        unit(enter, leave, 9, shortcut=number > 0 and (enter != leave))
        for number, (enter, leave) in enumerate(zip((3, *widths), widths, strict=False))
    )
    remaining = frames - 10
    for _ in range(6):
        remaining = -(-remaining // 2)
    poses = unit(256, 128, 9, True) + 3 * unit(128, 128, 9, True) + unit(128, 128, 3, True)
    poses += unit(128, 128, remaining, False) + unit(131, 30, 1, False)
    h = 128
    encoder = sum((enter + 1) * h + (h + 1) * h + 2 * h for enter in (150, 2 * h, h, 3 * h)) + 3 * (
        h + 1
    )
    decoder = (
        2 * ((2 * h + 1) * h + (h + 1) * h)
        + 3 * ((3 + 1) * h + h * h)
        + 2 * (h + 1) * h
        + (h + 1) * 3
    )
    reference = 2 * 3 * joints + units + (256 + 1) * classes + poses + encoder + decoder
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == reference == expected
    assert layout != "ntu-25" or reference == 6_987_478 + 417_798 - 2 * 9 * 25**2 - (3 * h + 2) * h


def test_the_whole_clip_is_shortened_to_one_frame_before_the_poses():
    sizes = []

    def note(next_function, args, kwargs, context):
        y = next_function(*args, **kwargs)
        sizes.extend(
            [y.shape[2:]]
            if isinstance(context.module, ASGCNUnit) and context.method_name == "__call__"
            else []
        )
        return y

    with nn.intercept_methods(note):
        inputs = jnp.zeros((1, 300, 1, 5, 3))
        jax.eval_shape(build(width=2, link_width=2, order=1).init, jax.random.key(0), inputs)
    trunk = [(290, 2)] * 3 + [(145, 4)] * 3 + [(73, 8)] * 3
    assert sizes == [*trunk, (73, 4), (37, 4), (19, 4), (10, 4), (5, 4), (1, 4), (1, 30)]


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["openpose-18", "kinect-20", "jhmdb-15", "coco-17"])
def test_it_is_built_for_any_layout(layout):
    joints = len(skeletons.get_layout(layout).joints)
    inputs = jnp.zeros((1, 9, 1, joints, 2))
    shapes = jax.eval_shape(small(layout=layout).init_with_output, jax.random.key(0), inputs)[0]
    assert shapes["logits"].shape == (1, 5) and shapes["penalty"].shape == (1,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"horizon": 9},
            "asgcn predicts the last 9 frames of a clip from those before; "
            "got clips of 9 frames. Wanted a",
        ),
        (
            {"empty": 1.0},
            "asgcn with model.empty=1.0: wanted a probability between 0 and 1, and neither",
        ),
    ],
)
def test_what_cannot_run_is_one_sentence(options, message):
    with pytest.raises(UserError, match=message):
        jax.eval_shape(small(**options).init, jax.random.key(0), clips())


@pytest.mark.slow
def test_units_are_computed_again_where_memory_is_short():
    def traced(**options):
        model, keys = small(**options), {"dropout": jax.random.key(0)}

        def loss(params):
            weights = {**variables(), "params": params}
            outputs, _ = model.apply(
                weights, clips(), train=True, mutable=["batch_stats"], rngs=keys
            )
            return jnp.sum(outputs["logits"])

        return jax.make_jaxpr(jax.grad(loss))(variables()["params"])

    plain, second = traced(), traced(remat=True)
    assert second.out_avals == plain.out_avals and str(second).count("remat2") > str(plain).count(
        "remat2"
    )


@pytest.mark.slow
def test_a_toy_is_learned_by_heart_with_the_penalty_in_the_loss():
    model, tx = small(dropout=0.0), optax.sgd(0.05, momentum=0.9)
    params, stats = variables()["params"], variables()["batch_stats"]
    current = state.TrainState(
        step=jnp.int32(0), params=params, batch_stats=stats, opt_state=jax.jit(tx.init)(params)
    )
    batch = {"inputs": clips(), "targets": jnp.arange(3)}
    update = jax.jit(
        lambda s: train_step.train_step(
            s, batch, apply=model.apply, loss=losses.classification_loss, tx=tx, seed=0
        )
    )
    current, first = update(current)
    for _ in range(60):
        current, sums = update(current)
    assert sums["correct"] == 3 and sums["loss"] < 0.5 * first["loss"]
