"""The pose network: sizes, every layer by loops, its options, its two formulations."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.config.pose_model import PoseConfig
from jaxact.errors import UserError
from jaxact.models import pose_net
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.convolution import depthwise
from jaxact.models.layers.formulation import formulation
from jaxact.models.pose_net import PoseNet, build_pose
from jaxact.skeletons.pose_body import BODY, LIMBS
from tests.helpers.random_weights import random_variables

TOY = {"filters": 2, "width": 1 / 32, "stages": 2}
BRIEF = TOY | {"stages": 1}


def pictures(height=16, width=24):
    random = np.random.default_rng(1)
    return jnp.asarray(random.uniform(-1, 1, (2, height, width, 3)), jnp.float32)


@pytest.fixture
def shallow(monkeypatch):
    """Four of Table 1's eleven separable convolutions in this test: of both ratios and both
    strides.
    """
    monkeypatch.setattr(pose_net, "LAYERS", ((2, 1), (2, 2), (2, 2), (1, 1)))
    for name, number in (("FINE", 2), ("MIDDLE", 3), ("LAST", 4)):
        monkeypatch.setattr(pose_net, name, number)


@pytest.mark.parametrize(
    ("options", "total", "table"),
    [
        ({}, 3_194_896, 916_080),
        ({"width": 0.5}, 1_942_800, 916_080),
        ({"stages": 1}, 916_080 + 466_536, 916_080),
        (
            {"background": True, "between": False},
            3_194_896 - 32_816 + 513 + 5 * (129 + 2 * 137),
            916_080 - 5_136,
        ),
    ],
)
def test_sizes_are_those_of_the_papers_table_and_of_its_stages(options, total, table):
    model = PoseNet(**options)
    traced = model.clone(stages=min(2, model.stages))  # the stages from the second on are alike
    answers, made = jax.eval_shape(
        traced.init_with_output, jax.random.key(0), jnp.zeros((1, 224, 224, 3))
    )
    count = {
        name: sum(leaf.size for leaf in jax.tree.leaves(tree))
        for name, tree in made["params"].items()
    }
    later = sum(size for name, size in count.items() if name.startswith("stage2"))
    assert (
        sum(count.values()) + max(model.stages - 2, 0) * later == total
        and count["features"] == table
    )
    if not options:
        layers = [made["params"]["features"][f"layer{number}"] for number in range(12)]
        sizes = [sum(leaf.size for leaf in jax.tree.leaves(layer)) for layer in layers]
        assert sizes == [696, 1_512, 5_328, 10_464, 19_872, 39_360, 76_608, *[152_448] * 5]
    background = options.get("background", False)
    assert answers["joints"].shape == (1, traced.stages, 28, 28, 14 + background)
    assert answers["limbs"].shape == (1, traced.stages, 28, 28, 2 * len(LIMBS))
    assert model.stages == options.get("stages", 6)


def same(x, kernel, stride, each=False):
    """A convolution with TensorFlow's padding, window by window; `each`: within every channel."""
    size, (height, width) = kernel.shape[0], x.shape[:2]
    rows, columns = -(-height // stride), -(-width // stride)
    before = [
        max((n - 1) * stride + size - length, 0) // 2
        for n, length in ((rows, height), (columns, width))
    ]
    padded = np.zeros((height + 4, width + 4, x.shape[2]))
    padded[before[0] : before[0] + height, before[1] : before[1] + width] = x
    y = np.zeros((rows, columns, kernel.shape[-1]))
    for i, j in np.ndindex(rows, columns):
        window = padded[i * stride : i * stride + size, j * stride : j * stride + size]
        y[i, j] = (
            (window * kernel).sum((0, 1)) if each else np.einsum("yxc,yxcd->d", window, kernel)
        )
    return y


def normal(x, params, stats):
    y = (x - stats["mean"]) / np.sqrt(stats["var"] + 1e-3) * params["scale"] + params["bias"]
    return np.maximum(y, 0)


def separable(x, params, stats, stride=1):
    x = same(x, params["depthwise"], stride, each=True)
    x = normal(x, params["between"], stats["between"]) if "between" in params else x
    return mixed(x, params["pointwise"], stats["pointwise"])


def mixed(x, params, stats):
    return normal(x @ params["kernel"][0, 0], params["norm"], stats["norm"])


def loops(variables, picture):
    """The answers of all stages for one picture, layer by layer."""
    params, stats = (
        jax.tree.map(lambda x: np.asarray(x, np.float64), variables[n])
        for n in ("params", "batch_stats")
    )
    f, s = params["features"], stats["features"]
    x = normal(
        same(np.asarray(picture, np.float64), f["layer0"]["kernel"], 2),
        f["layer0"]["norm"],
        s["layer0"]["norm"],
    )
    feature_maps = []
    fine, *others = (3, 7, 11) if len(pose_net.LAYERS) == 11 else (2, 3, 4)
    for number, (_, stride) in enumerate(pose_net.LAYERS, 1):
        x = separable(x, f[f"layer{number}"], s[f"layer{number}"], stride)
        if number == fine:
            feature_maps.append(np.maximum.reduce([x[a::2, b::2] for a in (0, 1) for b in (0, 1)]))
        if number in others:
            feature_maps.append(x)
    features, answers = np.concatenate(feature_maps, -1), []
    for stage in (1, 2):
        inputs = np.concatenate([features, *(answers[-1].values() if answers else ())], -1)
        answer = {}
        for name in ("joints", "limbs"):
            p, t, x = params[f"stage{stage}_{name}"], stats[f"stage{stage}_{name}"], inputs
            for number in (1, 2, 3):
                x = separable(x, p[f"sepconv{number}"], t[f"sepconv{number}"])
            x = mixed(x, p["mixed"], t["mixed"])
            answer[name] = x @ p["answer"]["kernel"] + p["answer"]["bias"]
        answers.append(answer)
    return {name: np.stack([answer[name] for answer in answers]) for name in answers[0]}


def as_bytes():
    return np.random.default_rng(0).integers(0, 256, (2, 16, 24, 3), np.uint8)


@pytest.mark.parametrize(
    ("options", "make_inputs"),
    [({}, pictures), ({"between": False, "background": True}, as_bytes)],
    ids=["paper", "options"],
)
def test_answers_are_the_papers_layers_by_loops(request, options, make_inputs):
    """Bytes are brought to the range from -1 to 1. With the options, on fewer layers."""
    if options:
        request.getfixturevalue("shallow")
    model = PoseNet(**TOY, **options)
    variables = random_variables(model, pictures())
    actual = jax.jit(model.apply)(variables, make_inputs())
    expected = loops(
        variables, make_inputs()[1] / 127.5 - 1 if make_inputs is as_bytes else make_inputs()[1]
    )
    for name, stages in expected.items():
        assert actual[name].dtype == jnp.float32 and np.abs(stages).max() > 0.1
        np.testing.assert_allclose(actual[name][1], stages, atol=2e-4 * np.abs(stages).max())


@pytest.mark.parametrize("size", [(8, 6), (7, 9)])
@pytest.mark.parametrize("stride", [1, 2])
def test_both_formulations_of_a_depthwise_convolution_are_the_window_by_window_one(size, stride):
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(2, *size, 3)), random.normal(size=(3, 3, 3))
    expected = np.stack([same(each, kernel, stride, each=True) for each in x])
    run = jax.jit(functools.partial(depthwise, stride=stride))
    for name in ("direct", "cpu"):
        with formulation(name):
            y = run(np.float32(x), np.float32(kernel))
        np.testing.assert_allclose(y, expected, atol=1e-5)


@pytest.mark.slow
def test_bfloat16_answers_near_float32_and_in_float32(shallow):
    variables = random_variables(PoseNet(**BRIEF), pictures())
    exact, rounded = (
        jax.jit(PoseNet(**BRIEF, dtype=dtype).apply)(variables, pictures())
        for dtype in ("float32", "bfloat16")
    )
    for name in exact:
        assert rounded[name].dtype == jnp.float32
        error = np.abs(exact[name] - rounded[name]).max() / np.abs(exact[name]).max()
        assert 0 < error < 0.1


@pytest.mark.slow
def test_the_activations_of_every_layer_and_branch_are_recomputed_and_no_parameter_changes(shallow):
    def traced(remat):
        model = PoseNet(**BRIEF, remat=remat)
        made = jax.eval_shape(model.init, jax.random.key(0), pictures())
        apply = jax.make_jaxpr(model.apply)(made, pictures())
        return jax.tree.map(jnp.shape, made), sum(
            "remat" in str(eqn.primitive) for eqn in apply.eqns
        )

    (plain, none), (again, some) = traced(False), traced(True)
    assert plain == again and (none, some) == (0, len(pose_net.LAYERS) + 2 * BRIEF["stages"])


@pytest.mark.slow
def test_training_moves_every_statistic_and_evaluation_none(shallow):
    model = PoseNet(**BRIEF)
    variables = random_variables(model, pictures())
    run = jax.jit(lambda v, x: model.apply(v, x, train=True, mutable=["batch_stats"])[1])
    after = run(variables, pictures())["batch_stats"]
    assert not any(jax.tree.leaves(jax.tree.map(np.array_equal, variables["batch_stats"], after)))


def test_a_section_becomes_the_network():
    spec = InputSpec(layout=BODY, num_classes=1, channels=("x", "y", "seen"), axis_name="data")
    section = dataclasses.asdict(PoseConfig(width=0.5, background=True))
    assert section.pop("name") == "pose"
    model = build_pose(spec, **section)
    assert model == PoseNet(width=0.5, background=True, axis_name="data")
    with pytest.raises(UserError, match=r"model.stages is 0, but must be at least 1"):
        build_pose(spec, **section | {"stages": 0})
