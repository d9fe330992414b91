"""SC-Xception whole: sizes of the paper's rows, where its parts stand, what is frozen, a training
step, exporting.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import export

from jaxact.config import SCXCEPTION_SYSTEMS
from jaxact.errors import UserError
from jaxact.models.layers.attentional_fusion import Head
from jaxact.models.layers.conv_gru import ConvGRU
from jaxact.models.layers.excitation import Excitation
from jaxact.models.sc_xception import SCXception
from jaxact.models.xception import Block
from jaxact.runs import state
from tests.helpers.random_weights import random_variables

# Two of the backbone's blocks that "last" freezes, and the two that it trains.
SMALL = {"num_classes": 3, "width": 1 / 32, "depth": 0.0, "filters": 4, "hidden": 8}
SMALL |= {"skip": ("block2", "block3")}


def clips(count=3, frames=2, pixels=32):
    random = np.random.default_rng(1)
    return jnp.asarray(random.uniform(-1, 1, (count, frames, pixels, pixels, 3)), jnp.float32)


@pytest.fixture(scope="module")
def variables():
    return random_variables(SCXception(**SMALL), clips())


def flattened(tree):
    """The arrays of a tree in one vector, and what makes the tree of such a vector."""
    leaves, structure = jax.tree.flatten(tree)
    ends = np.cumsum([leaf.size for leaf in leaves]).tolist()

    def unravel(vector):
        pieces = [
            vector[end - leaf.size : end].reshape(leaf.shape)
            for leaf, end in zip(leaves, ends, strict=True)
        ]
        return structure.unflatten(pieces)

    return jnp.asarray(np.concatenate([np.ravel(leaf) for leaf in leaves])), unravel


def differ(a, b):
    return not np.array_equal(a, b)


# Parameters and the backbone's statistics, with 101 classes.
PUBLISHED = {
    "xc_lstm": 23_379_341,
    "xc_convgru": 23_218_885,
    "sc_convgru": 23_290_507,
    "sc_convgru_aff": 23_357_963,
    "full": 23_681_227,
}


@pytest.mark.parametrize("row", PUBLISHED)
def test_rows_have_the_published_number_of_parameters(row):
    """Of the eight blocks in the middle of the backbone one is traced, and its size counts eight
    times.
    """

    def size(model):
        assert model.make_backbone(parent=None).middle == 8
        made = jax.eval_shape(
            model.clone(depth=1 / 8).init, jax.random.key(0), jnp.zeros((1, 2, 71, 71, 3))
        )
        counted = made["params"], made["batch_stats"]["backbone"]
        repeated = made["params"]["backbone"]["block5"], made["batch_stats"]["backbone"]["block5"]
        once, again = (
            sum(leaf.size for leaf in jax.tree.leaves(tree)) for tree in (counted, repeated)
        )
        return once + 7 * again

    assert size(SCXception(101, **SCXCEPTION_SYSTEMS[row])) == PUBLISHED[row]
    if row == "full":
        assert size(SCXception(51)) == 23_668_377


@pytest.mark.slow
@pytest.mark.parametrize("row", ["inception_resnet_v2", "inception_v3"])
def test_rows_of_other_backbones_give_logits_of_every_clip(row):
    model = SCXception(**SMALL | SCXCEPTION_SYSTEMS[row] | {"skip": ()})
    actual, made = jax.eval_shape(
        model.init_with_output, jax.random.key(0), jnp.zeros((3, 2, 75, 75, 3))
    )
    assert actual.shape == (3, 3) and made["params"].keys() == {"backbone", "convgru", "head"}


@pytest.fixture(scope="module")
def run():
    """Logits and what is sown, and the backbone, the ConvGRU and the head one after the other,
    compiled once.

    In one program: what is the same on both ways is compiled once.
    """
    model = SCXception(**SMALL)
    backbone = model.make_backbone(parent=None)

    @jax.jit
    def both(variables, frames):
        def part(name):
            return {kind: tree.get(name, {}) for kind, tree in variables.items()}

        memory = ConvGRU(4).apply(part("convgru"), backbone.apply(part("backbone"), frames))
        scores = Head(3, hidden=8).apply(part("head"), memory)
        return *model.apply(variables, frames, mutable=["intermediates"]), memory, scores

    return both


@pytest.mark.slow
def test_it_is_its_parts_in_a_row(variables, run):
    actual, sown, memory, scores = run(variables, clips())
    np.testing.assert_allclose(sown["intermediates"]["memory"][0], memory, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(actual, scores, rtol=1e-4, atol=1e-5)


def test_excitation_stands_on_the_residual_branch_of_block13_and_not_on_the_shortcut(variables):
    """Without its excitation, the block gets the same from excited maps, save for what the shortcut
    sees.
    """
    inside = {kind: tree["backbone"]["block13"] for kind, tree in variables.items()}
    bare = {
        "params": {k: v for k, v in inside["params"].items() if k != "excitation"},
        "batch_stats": inside["batch_stats"],
    }
    x = jnp.asarray(np.random.default_rng(2).normal(size=(6, 3, 3, 22)), jnp.float32)
    fields = {"features": (22, 32), "pool": True, "ce_relu": False, "frames": 2}
    fields |= {"dtype": "float32", "axis_name": None}

    @jax.jit
    def blocks(x):
        """The block on x, its excitation of x, and without one the block on that."""
        excitation = {"params": inside["params"]["excitation"]}
        excited = Excitation("sum").apply(excitation, x.reshape(3, 2, 3, 3, 22)).reshape(x.shape)
        of_excited = Block(**fields, excitation="none").apply(bare, excited)
        return Block(**fields, excitation="sum").apply(inside, x), excited, of_excited

    actual, excited, of_excited = blocks(x)

    def shortcut(x):
        p, s = jax.device_get((bare["params"]["shortcut"], bare["batch_stats"]["shortcut"]["norm"]))
        y = np.asarray(x)[:, ::2, ::2] @ p["kernel"][0, 0]
        return (y - s["mean"]) / np.sqrt(s["var"] + 1e-3) * p["norm"]["scale"] + p["norm"]["bias"]

    np.testing.assert_allclose(
        actual, of_excited - shortcut(excited) + shortcut(x), rtol=1e-3, atol=1e-4
    )
    assert "excitation" not in variables["params"]["backbone"]["block14"]


@pytest.mark.slow
@pytest.mark.parametrize("head", ["mlp", "mcam_aff"])
def test_a_step_moves_what_trains_and_keeps_no_gradient_and_no_memory_for_the_rest(head):
    model = SCXception(**SMALL, dropout=0.0, head=head)
    variables = random_variables(model, clips(pixels=24))
    params = variables["params"]
    still = model.frozen(params)
    blocks = {block for block, tree in still["backbone"].items() if all(jax.tree.leaves(tree))}
    assert blocks == {"block1", "block4"}
    assert not any(
        jax.tree.leaves({name: tree for name, tree in still.items() if name != "backbone"})
    )
    trained, fixed = state.split(params, still)
    size = {
        name: sum(leaf.size for leaf in jax.tree.leaves(tree))
        for name, tree in (("t", trained), ("f", fixed))
    }
    assert size["t"] + size["f"] == sum(leaf.size for leaf in jax.tree.leaves(params))
    jax.tree.map(np.testing.assert_array_equal, state.merge(trained, fixed), params)
    tx = optax.adam(1e-2)
    memory = jax.eval_shape(tx.init, trained)
    assert sum(leaf.size for leaf in jax.tree.leaves(memory)) == 2 * size["t"] + 1

    # From here on one long vector: an update of many short ones takes longer to compile than the
    # network.
    vector, unravel = flattened(trained)

    def loss(vector, stats, frames):
        held = {"params": state.merge(unravel(vector), fixed), "batch_stats": stats}
        logits, updated = model.apply(held, frames, train=True, mutable=["batch_stats"])
        return optax.softmax_cross_entropy_with_integer_labels(
            logits, jnp.arange(3)
        ).mean(), updated["batch_stats"]

    @jax.jit
    def update(vector, memory, stats, frames):
        (value, stats), gradient = jax.value_and_grad(loss, has_aux=True)(vector, stats, frames)
        change, memory = tx.update(gradient, memory)
        return vector + change, memory, stats, gradient, value

    memory, stats = tx.init(vector), variables["batch_stats"]
    values = []
    for _ in range(40):
        vector, memory, stats, gradient, value = update(vector, memory, stats, clips(pixels=24))
        values.append(float(value))
    gradient = unravel(np.asarray(gradient))
    assert all(
        np.any(leaf) for path, leaf in jax.tree.leaves_with_path(gradient) if path[0].key != "head"
    )
    assert values[-1] < 0.1 < values[0]
    before = variables["batch_stats"]["backbone"]
    after = stats["backbone"]
    moved = {
        name
        for name in before
        if any(jax.tree.leaves(jax.tree.map(differ, before[name], after[name])))
    }
    assert moved == {"block13", "block14"}


@pytest.mark.slow
def test_what_precedes_the_border_keeps_nothing_for_the_backward_pass():
    """The finest maps that the backward pass reads: those that block13 sees, or the frames where
    all of it trains.
    """
    shapes = {}
    for train_from in ("last", "all"):
        model = SCXception(**SMALL, head="mlp", train_from=train_from)
        made = jax.eval_shape(model.init, jax.random.key(0), clips())

        def loss(params, stats, model=model):
            rngs = {"dropout": jax.random.key(0)}
            out, _ = model.apply(
                {"params": params, "batch_stats": stats},
                clips(),
                train=True,
                mutable=["batch_stats"],
                rngs=rngs,
            )
            return out.sum()

        residuals = jax.eval_shape(
            lambda p, s, loss=loss: jax.vjp(functools.partial(loss, stats=s), p)[1],
            made["params"],
            made["batch_stats"],
        )
        shapes[train_from] = max(
            leaf.shape[1]
            for leaf in jax.tree.leaves(residuals)
            if leaf.ndim == 4 and leaf.shape[0] == 6
        )
    assert shapes == {"last": 7, "all": 32}


def test_the_order_of_the_frames_matters_and_their_number_is_free(variables, run):
    assert np.abs(run(variables, clips())[0] - run(variables, clips()[:, ::-1])[0]).max() > 1e-4
    assert jax.eval_shape(SCXception(**SMALL).apply, variables, clips(frames=5)).shape == (3, 3)


@pytest.mark.slow
def test_bfloat16_computes_near_float32_and_what_is_kept_stays_float32(variables, run):
    model = SCXception(**SMALL, dtype="bfloat16")
    exact, rounded = (
        np.asarray(run(variables, clips())[0]),
        jax.jit(model.apply)(variables, clips()),
    )
    made = jax.eval_shape(model.init, jax.random.key(0), clips())
    assert {leaf.dtype for leaf in jax.tree.leaves(made)} == {jnp.dtype("float32")}
    assert (
        rounded.dtype == jnp.float32
        and 0 < np.abs(exact - rounded).max() < 0.05 * np.abs(exact).max()
    )


def test_the_lstm_row_remembers_what_a_loop_over_the_frames_mean_features_does():
    model = SCXception(**SMALL | SCXCEPTION_SYSTEMS["xc_lstm"])
    variables = random_variables(model, clips())

    @jax.jit
    def run(variables, frames):
        backbone = {kind: tree["backbone"] for kind, tree in variables.items()}
        maps = model.make_backbone(parent=None).apply(backbone, frames)
        return model.apply(variables, frames, mutable=["intermediates"])[1], maps

    sown, maps = run(variables, clips())
    features = np.asarray(maps).mean((2, 3))
    p = jax.device_get(variables["params"]["lstm"])
    cell = output = np.zeros((3, 256))
    for x in features.swapaxes(0, 1):
        i, f, g, o = (
            x @ p[f"i{n}"]["kernel"] + output @ p[f"h{n}"]["kernel"] + p[f"h{n}"]["bias"]
            for n in "ifgo"
        )
        i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
        cell = f * cell + i * np.tanh(g)
        output = o * np.tanh(cell)
    np.testing.assert_allclose(
        sown["intermediates"]["memory"][0][:, 0, 0], output, rtol=1e-3, atol=1e-5
    )


@pytest.mark.slow
def test_it_is_exported_with_a_free_batch(variables, run):
    model = SCXception(**SMALL)
    shape = jax.ShapeDtypeStruct(export.symbolic_shape("n, 2, 32, 32, 3"), jnp.float32)
    exported = export.export(jax.jit(lambda x: model.apply(variables, x)))(shape)
    np.testing.assert_allclose(
        exported.call(clips()), run(variables, clips())[0], rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"backbone": "resnet"},
            r"unknown backbone 'resnet'; available: inception_resnet_v2, inception_v3, xception",
        ),
        (
            {"recurrent": "gru"},
            r"unknown recurrent layer 'gru'; available: convgru, lstm; did you mean 'convgru'",
        ),
        (
            {"recurrent": "lstm"},
            r"an LSTM has no spatial layout, which the head 'mcam_aff' needs; wanted head 'mlp'",
        ),
        (
            {"backbone": "inception_v3"},
            r"excitation 'sum' belongs to Xception's .* which 'inception_v3' does not have; wanted",
        ),
    ],
)
def test_options_that_do_not_go_together_are_one_sentence(options, message):
    with pytest.raises(UserError, match=message):
        jax.eval_shape(SCXception(**SMALL | options).init, jax.random.key(0), clips())
