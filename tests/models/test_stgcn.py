"""ST-GCN as a module: parameter counts, free sizes, state, precision, devices."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxact import models, skeletons
from jaxact.errors import UserError
from jaxact.models import stgcn
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers import chunked_map, stgcn_unit, temporal_conv
from jaxact.models.layers.formulation import formulation
from tests.helpers.formulations import FORMULATIONS, run_in
from tests.helpers.random_weights import LEGS, random_array, random_variables

SLOW = pytest.mark.slow  # the same again in another form
NTU, KINETICS = ("ntu-25", 60), ("openpose-18", 400)


def count(layout: str, classes: int, **options) -> tuple[int, int]:
    """Parameters, and how many of them are edge importance."""
    joints = skeletons.get_layout(layout)
    model = models.build(
        "stgcn",
        InputSpec(layout=joints, num_classes=classes, channels=("x", "y", "z")),
        **options,
    )
    inputs = jnp.zeros((1, 16, 2, len(joints.joints), 3))
    with formulation("direct"):  # is traced faster
        params = jax.eval_shape(model.init, jax.random.key(0), inputs)["params"]
    sizes = {path: leaf.size for path, leaf in flatten_dict(params).items()}
    return sum(sizes.values()), sum(
        size for path, size in sizes.items() if path[-1] == "importance"
    )


@pytest.mark.parametrize(
    ("data", "network", "with_importance", "without"),
    [  # K = 1, 2, 3
        (NTU, "stem9", (2_648_956, 2_873_894, 3_098_832), (2_642_706, 2_861_394, 3_080_082)),
        pytest.param(
            KINETICS,
            "stem9",
            (2_733_284, 2_955_212, 3_177_140),
            (2_730_044, 2_948_732, 3_167_420),
            marks=SLOW,
        ),
        pytest.param(
            NTU,
            "literal9",
            (2_607_371, 2_827_524, 3_047_677),
            (2_601_746, 2_816_274, 3_030_802),
            marks=SLOW,
        ),
        (
            KINETICS,
            "literal9",
            (2_692_000, 2_909_444, 3_126_888),
            (2_689_084, 2_903_612, 3_118_140),
        ),
        (("ntu-25", 120), "stem9", (None, None, 3_114_252), (None, None, 3_095_502)),
    ],
)
def test_parameter_counts_are_the_published_ones(data, network, with_importance, without):
    for position, strategy in enumerate(("uniform", "distance", "spatial")):
        if with_importance[position] is not None:
            total, importance = count(*data, network=network, strategy=strategy)
            assert (total, total - importance) == (with_importance[position], without[position])


def test_edge_importance_is_all_that_its_option_adds():
    (total, importance), plain = (
        count("kinect-15", 5, network="stem3", edge_importance=on) for on in (True, False)
    )
    assert plain == (total - importance, 0) and importance == 4 * 3 * 15**2


@pytest.fixture(scope="module", autouse=True)
def short():
    """A first unit and one that projects its shortcut, which compile in a fraction of the time."""
    stgcn.VARIANTS["short"] = tuple(stgcn.VARIANTS["stem9"][i] for i in (0, 4))
    yield
    del stgcn.VARIANTS["short"]


def small(axis_name: str | None = None, **options) -> stgcn.STGCN:
    options = {"network": "short", "width": 4, "strategy": "spatial", "dropout": 0.5, **options}
    return models.build(
        "stgcn",
        InputSpec(layout=LEGS, num_classes=5, channels=("x", "y", "z"), axis_name=axis_name),
        **options,
    )


def clips(frames=12, persons=2, batch=4):
    return random_array(batch, frames, persons, 5, 3, seed=3)


@pytest.fixture(scope="module")
def variables(short):
    return random_variables(small(), clips())


@pytest.mark.parametrize(("frames", "persons"), [(20, 2), (33, 1), (300, 3)])
def test_frames_and_persons_are_free_at_run_time(variables, frames, persons):
    assert jax.eval_shape(small().apply, variables, clips(frames, persons)).shape == (4, 5)


def test_the_order_of_persons_does_not_matter(variables):
    run, inputs = jax.jit(small().apply), clips()
    np.testing.assert_allclose(
        run(variables, inputs), run(variables, inputs[:, :, ::-1]), rtol=1e-4, atol=1e-5
    )


@functools.cache
def compiled_train(model):
    apply = functools.partial(model.apply, train=True, mutable=["batch_stats"])
    return jax.jit(lambda variables, inputs, seed: apply(variables, inputs, rngs=keys(seed)))


def train(model, variables, inputs, seed=0):
    return compiled_train(model)(variables, inputs, seed)


def keys(seed):
    return {"dropout": jax.random.key(seed)}


def test_training_moves_every_running_statistic_and_dropout_follows_its_key(variables):
    logits, state = train(small(), variables, clips())
    moved = jax.tree.map(
        lambda old, new: bool(np.any(old != new)), variables["batch_stats"], state["batch_stats"]
    )
    assert all(jax.tree.leaves(moved))
    np.testing.assert_array_equal(logits, train(small(), variables, clips())[0])
    assert np.abs(logits - train(small(), variables, clips(), seed=1)[0]).max() > 1e-4


def backward(model, variables, inputs):
    """Gradients of a loss with dropout, and the logits and running statistics beside them."""

    def loss(params, inputs):
        collections = {**variables, "params": params}
        logits, state = model.apply(
            collections, inputs, train=True, mutable=["batch_stats"], rngs=keys(0)
        )
        return jnp.sum(jnp.sin(logits)), (logits, state)

    return jax.jit(jax.grad(loss, has_aux=True))(variables["params"], inputs)


@pytest.fixture(scope="module")
def expected(variables):
    """What `backward` gives in either form, all samples at once on one device."""
    return {form: run_in(form, backward, small(), variables, clips()) for form in FORMULATIONS}


def assert_close(ours, theirs, tolerance):
    """Every array within `tolerance` of the largest number of its tree."""
    for ours_, theirs_ in zip(ours, theirs, strict=True):
        atol = tolerance * max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(theirs_))
        jax.tree.map(functools.partial(np.testing.assert_allclose, atol=atol), ours_, theirs_)


@pytest.mark.slow
def test_units_are_computed_again_where_memory_is_short(variables):
    def traced(**options):
        model = small(**options)

        def loss(params):
            weights = {**variables, "params": params}
            return jnp.sum(
                model.apply(weights, clips(), train=True, mutable=["batch_stats"], rngs=keys(0))[0]
            )

        with formulation("direct"):
            return jax.make_jaxpr(jax.grad(loss))(variables["params"])

    plain, second = traced(), traced(remat=True)
    assert second.out_avals == plain.out_avals and str(second).count("remat2") > str(plain).count(
        "remat2"
    )


@pytest.mark.slow
def test_rematerialisation_changes_no_gradient(variables, expected):
    gradients = run_in("cpu", backward, small(remat=True), variables, clips())
    assert_close(gradients, expected["cpu"], tolerance=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("samples", ["all", pytest.param("one", marks=SLOW)])
def test_both_forms_agree_in_logits_gradients_statistics_and_masks(
    variables, expected, monkeypatch, samples
):
    """The form for CPUs with all samples at once, and one after the other as on a single device."""
    gradients = expected["cpu"]
    if samples == "one":
        monkeypatch.setattr(jax, "device_count", lambda: 1)
        by_sample = functools.partial(chunked_map.by_sample, chunk=1)
        monkeypatch.setattr(stgcn_unit, "by_sample", by_sample)
        monkeypatch.setattr(temporal_conv, "by_sample", by_sample)
        gradients = run_in("cpu", backward, small(), variables, clips())
    assert_close(gradients, expected["direct"], tolerance=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["direct", pytest.param("cpu", marks=SLOW)])
def test_a_batch_on_four_devices_gives_what_it_gives_on_one(variables, expected, form):
    mesh = Mesh(np.array(jax.devices()), ("data",))
    spread = jax.device_put(clips(), NamedSharding(mesh, PartitionSpec("data")))
    gradients = run_in(form, backward, small(), variables, spread)
    assert_close(gradients, expected[form], tolerance=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["direct", pytest.param("cpu", marks=SLOW)])
def test_mapped_devices_share_batch_statistics(variables, form):
    model = small(dropout=0.0, axis_name="data")
    apply = functools.partial(model.apply, train=True, mutable=["batch_stats"])
    mapped = jax.pmap(apply, "data", in_axes=(None, 0))
    logits, state = run_in(form, mapped, variables, clips()[:, None])
    expected = run_in(form, train, small(dropout=0.0), variables, clips())
    assert_close(
        (logits[:, 0], jax.tree.map(lambda leaf: leaf[0], state)), expected, tolerance=1e-5
    )


@pytest.mark.slow
@pytest.mark.parametrize("form", ["direct", pytest.param("cpu", marks=SLOW)])
def test_bfloat16_computes_near_float32_with_float32_state(variables, form):
    exact = run_in(form, train, small(dropout=0.0), variables, clips())
    rounded = run_in(form, train, small(dropout=0.0, dtype="bfloat16"), variables, clips())
    assert {leaf.dtype for leaf in jax.tree.leaves(rounded)} == {jnp.dtype("float32")}
    assert 0 < np.abs(exact[0] - rounded[0]).max() < 0.1 * np.abs(exact[0]).max()


@pytest.mark.parametrize(
    ("init", "deviation"), [("v2", 0.02), ("he_fan_out", np.sqrt(2 / (9 * 64)))]
)
def test_weights_start_with_the_deviation_of_their_release(init, deviation):
    start = small(init=init, width=32).init
    unit = jax.jit(
        lambda: start(jax.random.key(0), clips())["params"]["unit4"]
    )()  # and nothing else is compiled
    assert np.std(unit["temporal_kernel"]) == pytest.approx(deviation, rel=0.03)
    scales = unit["temporal_norm"]["scale"]
    assert np.std(scales) == pytest.approx(0.02 if init == "v2" else 0, rel=0.3)
    assert not np.any(unit["temporal_bias"]) and np.all(unit["importance"] == 1)


def test_an_unknown_model_or_network_is_named_with_what_exists():
    layout = skeletons.get_layout("kinect-15")
    with pytest.raises(
        UserError, match=r"unknown model 'stgn'; available: .*stgcn.*did you mean 'stgcn'"
    ):
        models.build("stgn", InputSpec(layout=layout, num_classes=5, channels=("x", "y", "z")))
    with pytest.raises(UserError, match=r"unknown network 'stem8'; available: literal9, .*stem9"):
        small(network="stem8")
